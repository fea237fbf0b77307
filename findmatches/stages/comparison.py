"""Which pairs are compared value by value, their features, and the probabilities that follow from these."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from findmatches import tokenization
from findmatches.blocking import Indices
from findmatches.blocks.block import DRIVER, Block, Blocks, Facts, Sent
from findmatches.blocks.rows import Cells, Hashes, Rows, opened, united
from findmatches.columns import Column, ColumnKind, shortened, words_sorted
from findmatches.features import FeatureExtractor, SearchFigures, rarity_of_equal_values
from findmatches.stages.encode import value_keys
from findmatches.stages.guests import requests
from findmatches.stages.search import pair_hashes
from findmatches.stages.terms import CODES, GRAMS, NUMBERS, PHRASES, WORDS, column_terms, column_vocabulary, united_terms
from findmatches.term_vectors import idf_sets, tf_idf

# Features of so many pairs are one block: 4 MB for ten columns.
_BLOCK_PAIRS = 8_000
_BATCH_PAIRS = 200_000
_FIGURES = ("words", "grams", "low rank", "high rank", "low margin", "high margin")


def figures(block: Block) -> SearchFigures:
    """What the search knows of the block's pairs."""
    return SearchFigures(*(block[name] for name in _FIGURES))


def pair_keys(block: Block, facts: Facts) -> Indices:
    """One number per pair."""
    keys: Indices = block["left"] * facts["records"] + block["right"]
    return keys


def choose_all(part: int, blocks: Blocks, facts: Facts) -> Iterable[Sent]:
    """`pairs` -> all of them, `chosen`, and the `row requests` that they need."""
    for pairs in blocks["pairs"]:
        yield from _chosen(part, pairs, np.ones(len(pairs["left"]), np.bool_), facts)


def choose_more(part: int, blocks: Blocks, facts: Facts) -> Iterable[Sent]:
    """`more pairs` -> all of them, `chosen`, and the `row requests` that they need."""
    for pairs in blocks["more pairs"]:
        yield from _chosen(part, pairs, np.ones(len(pairs["left"]), np.bool_), facts)


def choose_sample(part: int, blocks: Blocks, facts: Facts) -> Iterable[Sent]:
    """`pairs` -> those of a random sample and the wanted ones, `chosen`, and the `row requests` that they need."""
    for pairs in blocks["pairs"]:
        wanted = np.isin(pair_keys(pairs, facts), facts["kept keys"])
        yield from _chosen(part, pairs, wanted | _in_sample(pairs, facts), facts)


def choose_probable(part: int, blocks: Blocks, facts: Facts) -> Iterable[Sent]:
    """`pairs` -> those that the first cut keeps, `chosen`, with `row requests`; the others, `improbable`, to the driver."""
    for pairs in blocks["pairs"]:
        probability = facts["first cut"].probability(figures(pairs).matrix())
        keep = (probability >= facts["first cut"].min_probability) | np.isin(pair_keys(pairs, facts), facts["kept keys"])
        yield from _chosen(part, pairs, keep, facts)
        rest = ~keep
        yield DRIVER, "improbable", {"key": pair_keys(pairs, facts)[rest], "probability": probability[rest]}


def compare_values(part: int, blocks: Blocks, facts: Facts) -> Iterable[Sent]:
    """`chosen` pairs, `rows`, `terms` and guests -> `new features`, with keys of the pairs of values and styles."""
    if not blocks["chosen"]:
        return
    pairs = {name: np.concatenate([block[name] for block in blocks["chosen"]]) for name in blocks["chosen"][0]}
    order = np.argsort(pair_keys(pairs, facts))
    pairs = {name: array[order] for name, array in pairs.items()}
    used = np.unique(np.append(pairs["left"], pairs["right"]))
    rows = _rows_at_hand([*blocks["rows"], *blocks["guest rows"]], used)
    names = (PHRASES, CODES, NUMBERS)
    numbers, matrices = united_terms([*blocks["terms"], *blocks["guest row terms"]], names, facts)
    places = np.searchsorted(numbers, used)
    extractor = _extractor(rows, dict(zip(names, (matrix[places] for matrix in matrices), strict=True)), facts)
    left, right = np.searchsorted(used, pairs["left"]), np.searchsorted(used, pairs["right"])
    for start in range(0, len(left), _BATCH_PAIRS):
        batch = slice(start, start + _BATCH_PAIRS)
        of_batch = {name: array[batch] for name, array in pairs.items()}
        features = extractor.features(left[batch], right[batch], figures(of_batch))
        keys = _keys_of_values(rows, left[batch], right[batch])
        # In this process a block may be as large as it is: only blocks that travel must be small.
        step = _BLOCK_PAIRS if facts["parts"] > 1 else _BATCH_PAIRS
        for first in range(0, len(features), step):
            piece = slice(first, first + step)
            block = {"left": of_batch["left"][piece], "right": of_batch["right"][piece]}
            yield part, "new features", {**block, "features": features[piece], "value keys": keys[piece]}


def show_features(_: int, blocks: Blocks, facts: Facts) -> Iterable[Sent]:
    """`candidate features`, `new features` -> those of the sample and of the wanted pairs, `shown`, to the driver."""
    for block in (*blocks["candidate features"], *blocks["new features"]):
        shown = np.isin(pair_keys(block, facts), facts["kept keys"]) | _in_sample(block, facts)
        yield DRIVER, "shown", {name: block[name][shown] for name in ("left", "right", "features")}


def score_first(part: int, blocks: Blocks, facts: Facts) -> Iterable[Sent]:
    """`new features` -> the `first score` of each pair, by the first classifier."""
    yield from _first_scores(part, blocks["new features"], facts)


def score_candidates_first(part: int, blocks: Blocks, facts: Facts) -> Iterable[Sent]:
    """`candidate features` -> the `first score` of each pair, by the first classifier."""
    yield from _first_scores(part, blocks["candidate features"], facts)


def _first_scores(part: int, blocks: Sequence[Block], facts: Facts) -> Iterable[Sent]:
    for block in blocks:
        probability = facts["first classifier"].probability(block["features"])
        scores = {"key": pair_keys(block, facts), "probability": probability}
        yield part, "first score", scores
        rare = (rarity_of_equal_values(block["features"]) >= facts["rare from"]).any(axis=1)
        yield DRIVER, "first score", {**scores, "rare": rare}


def _chosen(part: int, pairs: Block, keep: NDArray[np.bool_], facts: Facts) -> Iterable[Sent]:
    if keep.any():
        names = ("left", "right", *_FIGURES)
        chosen = {name: pairs[name] if keep.all() else pairs[name][keep] for name in names}
        yield part, "chosen", chosen
        yield from requests("row requests", part, np.append(chosen["left"], chosen["right"]), facts)


def _in_sample(pairs: Block, facts: Facts) -> NDArray[np.bool_]:
    share = facts["sampled share"]
    if share >= 1:
        return np.ones(len(pairs["left"]), np.bool_)
    # The high bits of the hash: the lowest decides where the pair is compared.
    sampled: NDArray[np.bool_] = pair_hashes(pairs["left"], pairs["right"]) < np.uint64(int(share * 2.0**64))
    return sampled


def _rows_at_hand(blocks: Sequence[Block], used: Indices) -> Rows:
    parts = []
    for rows in map(opened, blocks):
        places = np.flatnonzero(np.isin(rows.numbers, used, assume_unique=True))
        parts.append(rows if len(places) == len(rows) else rows.take(places))
    return united(parts)


def _extractor(rows: Rows, terms: dict[str, NDArray[np.float32]], facts: Facts) -> FeatureExtractor:
    return FeatureExtractor(
        columns=tuple(_column(place, cells, facts) for place, cells in enumerate(rows.columns)),
        phrases=idf_sets(terms[PHRASES], facts[PHRASES]),
        codes=idf_sets(terms[CODES], facts[CODES]),
        numbers=idf_sets(terms[NUMBERS], facts[NUMBERS]),
        sorted_texts=words_sorted(shortened(rows.texts(range(len(rows.columns))))),
        records=facts["records"],
        counted=facts[CODES].total,
    )


def _column(place: int, cells: Cells, facts: Facts) -> Column:
    kind: ColumnKind = facts["kinds"][place]
    single = kind.single_words
    terms = column_terms(place, cells.values, facts)
    words = None if single else terms[column_vocabulary(place, WORDS)]
    of_words: Any = facts.get(column_vocabulary(place, WORDS))
    return Column(
        kind=kind,
        codes=cells.codes.astype(np.int64),
        values=cells.values,
        frequencies=_frequencies(facts["columns"][place], cells.hashes, facts),
        rows=facts["rows"],
        numbers=cells.numbers if kind.holds == "numbers" else None,
        days=cells.numbers if kind.holds == "dates" else None,
        gram_vectors=tf_idf(terms[column_vocabulary(place, GRAMS)], facts[column_vocabulary(place, GRAMS)]),
        word_vectors=None if single else tf_idf(words, of_words),
        word_sets=None if single else idf_sets(words, of_words),
        number_sets=None
        if single
        else idf_sets(terms[column_vocabulary(place, NUMBERS)], facts[column_vocabulary(place, NUMBERS)]),
    )


def _frequencies(column: int, hashes: Hashes, facts: Facts) -> NDArray[np.int64]:
    keys, counts = facts["frequent keys"], facts["frequent counts"]
    wanted = value_keys(column, hashes)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1) if len(keys) else np.zeros(len(wanted), np.int64)
    known = keys[place] == wanted if len(keys) else np.zeros(len(wanted), np.bool_)
    return np.where(known, counts[place] if len(keys) else 1, 1).astype(np.int64)


def _keys_of_values(rows: Rows, left: Indices, right: Indices) -> Hashes:
    """Per pair and column a number for its two values, and one for its two styles; shape (pairs, 2 * columns)."""
    keys = np.empty((len(left), 2 * len(rows.columns)), np.uint64)
    for place, cells in enumerate(rows.columns):
        for offset, hashes in ((0, cells.hashes[cells.codes]), (1, cells.styles)):
            low, high = np.minimum(hashes[left], hashes[right]), np.maximum(hashes[left], hashes[right])
            salted = value_keys(2 * place + offset, high)
            keys[:, 2 * place + offset] = tokenization.mixed(tokenization.mixed(low) * np.uint64(3) + salted)
    return keys
