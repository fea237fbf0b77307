"""How similar each searched pair is by all terms, and which place it has among the pairs of either record."""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from findmatches.blocking import Indices, Scores, row_cosine
from findmatches.blocks.block import DRIVER, Block, Blocks, Facts, Sent, joined, routed
from findmatches.stages.search import home, owner
from findmatches.stages.terms import GRAMS, WORDS, united_terms
from findmatches.term_vectors import tf_idf

_BATCH_PAIRS = 50_000
# Scores are ranked to so many binary digits: equal ones share a rank.
_SCORE_BITS = 31
_MAX_BLOCK_PAIRS = 100_000

_NO_PAIRS: Block = {"left": np.zeros(0, np.int64), "right": np.zeros(0, np.int64)}
_NO_SIMILAR: Block = _NO_PAIRS | {"words": np.zeros(0, np.float32), "grams": np.zeros(0, np.float32)}
# An end is a record of a pair: `side` 0 is the left one.
_NO_ENDS: Block = _NO_PAIRS | {"side": np.zeros(0, np.int8), "score": np.zeros(0, np.float32)}
_NO_RANKS: Block = _NO_PAIRS | {
    "side": np.zeros(0, np.int8),
    "rank": np.zeros(0, np.int32),
    "margin": np.zeros(0, np.float32),
}


def compare_terms(part: int, blocks: Blocks, facts: Facts) -> Iterable[Sent]:
    """`unique`, `terms`, `guest terms` -> `similar` pairs, and both `ends` of each to the records' own parts."""
    pairs = joined(blocks["unique"], _NO_PAIRS)
    if not len(pairs["left"]):
        return
    numbers, (words, grams) = united_terms([*blocks["terms"], *blocks["guest terms"]], (WORDS, GRAMS), facts)
    words, grams = tf_idf(words, facts[WORDS]), tf_idf(grams, facts[GRAMS])
    left, right = np.searchsorted(numbers, pairs["left"]), np.searchsorted(numbers, pairs["right"])
    similar = {**pairs, "words": np.empty(len(left), np.float32), "grams": np.empty(len(left), np.float32)}
    for start in range(0, len(left), _BATCH_PAIRS):
        batch = slice(start, start + _BATCH_PAIRS)
        similar["words"][batch] = row_cosine(words, left[batch], right[batch])
        similar["grams"][batch] = row_cosine(grams, left[batch], right[batch])
    yield part, "similar", similar
    score = (similar["words"] + similar["grams"]) / 2
    for side, record in enumerate(("left", "right")):
        block = {**pairs, "side": np.full(len(left), side, np.int8), "score": score}
        yield from routed(owner(pairs[record], facts), "ends", block, facts["parts"])


def rank(part: int, blocks: Blocks, facts: Facts) -> Iterable[Sent]:
    """`ends` -> each end's rank and margin, `ranked`, to where its pair is; the records' `neighbors` stay."""
    ends = joined(blocks["ends"], _NO_ENDS)
    keys = _rank_keys(_records(ends) - facts["first records"][part], ends["score"])
    # The place of each key among the sorted ones; equal keys share the first place.
    order = np.argsort(keys)
    neighbors = keys[order]
    place = np.arange(len(keys))
    place[1:][neighbors[1:] == neighbors[:-1]] = 0
    places = np.empty(len(keys), np.int64)
    places[order] = np.maximum.accumulate(place) if len(place) else place
    yield part, "neighbors", {"keys": neighbors}
    yield from _ranked(part, ends, keys, facts, neighbors=neighbors, places=places)


def rank_more(part: int, blocks: Blocks, facts: Facts) -> Iterable[Sent]:
    """`ends` of pairs that the search did not propose -> their ranks among the `neighbors`, `ranked`."""
    ends, neighbors = joined(blocks["ends"], _NO_ENDS), blocks["neighbors"][0]["keys"]
    keys = _rank_keys(_records(ends) - facts["first records"][part], ends["score"])
    yield from _ranked(part, ends, keys, facts, neighbors=neighbors, places=np.searchsorted(neighbors, keys))


def keep_nearest(part: int, blocks: Blocks, facts: Facts) -> Iterable[Sent]:
    """`similar`, `ranked` -> the `pairs` that are among the nearest of either record; also to the driver.

    "Cardinality node pruning": Papadakis, Koutrika, Palpanas and Nejdl, "Meta-blocking", 2014.
    """
    pairs = _with_ranks(blocks, facts)
    if pairs is not None:
        keep = np.flatnonzero(pairs["low rank"] < facts["limits"].neighbors)
        yield from _kept("pairs", part, {name: array[keep] for name, array in pairs.items()})


def keep_all(part: int, blocks: Blocks, facts: Facts) -> Iterable[Sent]:
    """`similar`, `ranked` -> `more pairs`, with their ranks; also to the driver."""
    pairs = _with_ranks(blocks, facts)
    if pairs is not None:
        yield from _kept("more pairs", part, pairs)


def _kept(kind: str, part: int, pairs: Block) -> Iterable[Sent]:
    for start in range(0, len(pairs["left"]), _MAX_BLOCK_PAIRS):
        yield part, kind, {name: array[start : start + _MAX_BLOCK_PAIRS] for name, array in pairs.items()}
    yield DRIVER, kind, {"left": pairs["left"], "right": pairs["right"], "score": pairs["score"]}


def _with_ranks(blocks: Blocks, facts: Facts) -> Block | None:
    if not blocks["similar"]:
        return None
    pairs, ranked = joined(blocks["similar"], _NO_SIMILAR), joined(blocks["ranked"], _NO_RANKS)
    # Both ends of every pair come back, and the pairs are sorted.
    both = []
    for side in (0, 1):
        places = np.flatnonzero(ranked["side"] == side)
        both.append(places[np.argsort(ranked["left"][places] * facts["records"] + ranked["right"][places])])
    ranks, margins = (np.stack([ranked[name][places] for places in both]) for name in ("rank", "margin"))
    return {
        **pairs,
        "score": (pairs["words"] + pairs["grams"]) / 2,
        "low rank": ranks.min(axis=0),
        "high rank": ranks.max(axis=0),
        "low margin": margins.min(axis=0),
        "high margin": margins.max(axis=0),
    }


def _ranked(part: int, ends: Block, keys: Indices, facts: Facts, *, neighbors: Indices, places: Indices) -> Iterable[Sent]:
    """`places`: how many of the sorted `neighbors` are below each of the `keys`."""
    first, last = facts["first records"][part], facts["first records"][part + 1]
    record = _records(ends) - first
    starts = np.searchsorted(neighbors, np.arange(last - first + 1, dtype=np.int64) << _SCORE_BITS)
    best, second = _best_scores(neighbors, starts)
    own = _scores(keys)
    block = {
        "left": ends["left"],
        "right": ends["right"],
        "side": ends["side"],
        "rank": (places - starts[record]).astype(np.int32),
        "margin": own - np.where(own >= best[record], second[record], best[record]),
    }
    yield from routed(home(ends["left"], ends["right"], facts), "ranked", block, facts["parts"])


def _records(ends: Block) -> Indices:
    return np.where(ends["side"] == 0, ends["left"], ends["right"])


def _best_scores(neighbors: Indices, starts: Indices) -> Sequence[Scores]:
    padded, count = np.append(neighbors, [0, 0]), np.diff(starts)
    return [np.where(count > place, _scores(padded[starts[:-1] + place]), 0).astype(np.float32) for place in (0, 1)]


def _rank_keys(record: Indices, score: Scores) -> Indices:
    """Numbers that sort ends by record, then by falling score."""
    falling = np.rint((1 - score.astype(np.float64)) * ((1 << _SCORE_BITS) - 1)).astype(np.int64)
    keys: Indices = record << _SCORE_BITS | falling
    return keys


def _scores(keys: Indices) -> NDArray[np.float32]:
    return (1 - (keys & ((1 << _SCORE_BITS) - 1)) / ((1 << _SCORE_BITS) - 1)).astype(np.float32)
