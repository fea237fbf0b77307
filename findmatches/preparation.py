"""From a table to distinct records and candidate pairs of them: the first step of every operation."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from findmatches import plan
from findmatches.blocking import WORD_PAIRS_FROM_RECORDS, search_limits
from findmatches.blocks.block import Block, Sent, pack_texts
from findmatches.blocks.exchange import Exchange, LocalExchange
from findmatches.columns import ColumnKind
from findmatches.features import ROW_SIMILARITY, Matrix
from findmatches.labels import LabeledPairs
from findmatches.settings import Settings
from findmatches.stages.terms import (
    GRAMS,
    NUMBERS,
    RECORD_TERMS,
    WORD_PAIRS,
    WORDS,
    column_vocabulary,
    term_counts,
)
from findmatches.table import InvalidTable, Table
from findmatches.tokenization import buckets_for
from findmatches.value_types import Holds, inferred_type

Indices = NDArray[np.int64]

_SAMPLED_VALUES = 2000
_CELLS_AT_A_TIME = 10_000
_MAX_SHARE_OF_PHRASES = 0.02
# Edit distances cost the product of both lengths; longer texts are compared by their words and n-grams.
_MAX_MEAN_EDITED_CHARACTERS = 80.0


@dataclass(frozen=True)
class PreparedTable:
    """A table whose pairs can be scored. Identical rows are one *record*.

    `record[row]` is a row's record, or -1 for a blank row; `first_row[record]` is its first row, `second_row[record]` its
    second or -1. Candidate pairs are `left` < `right`, sorted, with their `similarity`, 0..1; `repeated` are the records
    that several identical rows share. `kinds` are the columns compared. `exchange` holds the blocks for scoring.
    """

    record: Indices
    first_row: Indices
    second_row: Indices
    left: Indices
    right: Indices
    similarity: NDArray[np.float32]
    neighbors_per_row: int
    kinds: tuple[ColumnKind, ...]
    exchange: Exchange

    @property
    def records(self) -> int:
        """How many different rows there are."""
        return len(self.first_row)

    def without_blocks(self) -> "PreparedTable":
        """The same without what only scoring needs."""
        return replace(self, exchange=LocalExchange())

    @property
    def repeated(self) -> Indices:
        """The records that several rows share."""
        return np.flatnonzero(self.second_row >= 0)


def prepare(
    table: Table,
    settings: Settings,
    exchange: Exchange | None = None,
    *,
    kinds: Sequence[ColumnKind] | None = None,
    has_labels: bool = False,
) -> PreparedTable | None:
    """None if there is nothing to compare: all rows that are not blank are identical.

    `exchange`: a new one, which must last as long as the prepared table is used; by default one part in this process.
    `kinds`: the columns to compare, and how; inferred from the table if None. Raises InvalidTable if one is missing.
    `has_labels`: whether labels will guide the scoring, which then makes use of more candidates.
    """
    exchange = exchange or LocalExchange()
    names = [name for name in table.names if name != table.primary_key] if kinds is None else [kind.name for kind in kinds]
    for name in names:
        if name not in table.columns:
            raise InvalidTable(f"The table has no column {name}, which the model compares.")
    holds = [inferred_type(_sample(table.columns[name])) for name in names] if kinds is None else [kind.holds for kind in kinds]
    exchange.publish(rows=len(table), holds=holds)
    exchange.send(_cells(table, names, exchange.parts))
    compared = _encode(exchange, names, kinds)
    if not compared:
        return None
    record, first_row, second_row = _identify(exchange, len(table))
    if len(first_row) < 2:  # noqa: PLR2004 - a pair needs two
        return None
    limits = search_limits(len(first_row), settings, has_labels=has_labels)
    exchange.publish(records=len(first_row), limits=limits)
    _count_terms(exchange)
    exchange.run(*plan.SEARCH)
    left, right, similarity = sorted_pairs(exchange.received("pairs"), len(first_row))
    return PreparedTable(record, first_row, second_row, left, right, similarity, limits.pairs, compared, exchange)


def record_pairs(prepared: PreparedTable, labeled: LabeledPairs) -> LabeledPairs:
    """The labeled pairs of rows as pairs of records; pairs with a blank row teach nothing and are left out."""
    left, right = prepared.record[labeled.left], prepared.record[labeled.right]
    pairs = LabeledPairs(np.minimum(left, right), np.maximum(left, right), labeled.match, labeled.fold)
    return pairs.where((left >= 0) & (right >= 0))


def mean_similarity(features: Matrix) -> Matrix:
    """Mean similarity over the whole row per pair, 0..1: words, n-grams, and the columns that both rows fill."""
    mean: Matrix = features[:, ROW_SIMILARITY].mean(axis=1)
    return mean


def sorted_pairs(blocks: Iterable[Block], records: int) -> tuple[Indices, Indices, NDArray[np.float32]]:
    """The pairs of all blocks in ascending order, and their scores."""
    parts = [(block["left"] * records + block["right"], block["score"]) for block in blocks]
    keys = np.concatenate([np.zeros(0, np.int64), *(keys for keys, _ in parts)])
    scores = np.concatenate([np.zeros(0, np.float32), *(score for _, score in parts)])
    order = np.argsort(keys)
    return keys[order] // records, keys[order] % records, scores[order]


def _sample(cells: Sequence[str | None]) -> list[str]:
    """The first distinct values that are not blank; rows are in the order of their keys, so these never change."""
    values: dict[str, None] = {}
    for start in range(0, len(cells), _CELLS_AT_A_TIME):
        values |= dict.fromkeys(
            cell for cell in dict.fromkeys(cells[start : start + _CELLS_AT_A_TIME]) if cell and cell.strip()
        )
        if len(values) >= _SAMPLED_VALUES:
            break
    return list(values)[:_SAMPLED_VALUES]


def _cells(table: Table, names: list[str], parts: int) -> Iterable[Sent]:
    """The table in parts of neighboring rows."""
    edges = np.linspace(0, len(table), parts + 1).astype(np.int64)
    for part, (start, end) in enumerate(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)):
        block: Block = {"numbers": np.arange(start, end)}
        for place, name in enumerate(names):
            block |= pack_texts(f"{place}", [cell or "" for cell in table.columns[name][start:end]])
        yield part, "cells", block


def _encode(exchange: Exchange, names: Sequence[str], kinds: Sequence[ColumnKind] | None) -> tuple[ColumnKind, ...]:
    """Encodes the rows; the columns to compare: those that tell rows apart, or those of `kinds`."""
    exchange.run(*plan.COUNT_LONG_WORDS)
    long_words: dict[str, NDArray[np.int64]] = {}
    for block in exchange.received("long words"):
        name = f"long words {int(block['column'][0])}"
        long_words[name] = long_words.get(name, 0) + block["counts"]
    exchange.publish(**long_words)
    exchange.run(*plan.ENCODE)
    frequent = exchange.received("frequent")
    keys, counts = (np.concatenate([block[name] for block in frequent]) for name in ("key", "count"))
    order = np.argsort(keys)
    distinct = np.sum([block["count"] for block in exchange.received("distinct")], axis=0)
    sizes = np.sum([block["sizes"] for block in exchange.received("sizes")], axis=0)
    compared: list[int] = np.flatnonzero(distinct > (1 if kinds is None else 0)).tolist()
    chosen = kinds or [_inferred_kind(names[place], exchange.facts["holds"][place], sizes[place]) for place in compared]
    exchange.publish(
        **{"frequent keys": keys[order], "frequent counts": counts[order]},
        columns=compared,
        kinds=tuple(chosen),
        worded=[place for place, kind in enumerate(chosen) if kind.holds == "text"],
        **{
            "buckets": buckets_for(int(sizes[compared, 0].sum() + len(compared) * exchange.facts["rows"])),
            "column buckets": [buckets_for(int(sizes[column, 0])) for column in compared],
        },
    )
    return tuple(chosen)


def _inferred_kind(name: str, holds: Holds, sizes: NDArray[np.float64]) -> ColumnKind:
    """`sizes`: over all rows, the characters, and how many values are present and have several words."""
    characters, present, phrases = sizes.tolist()
    single_words = phrases <= _MAX_SHARE_OF_PHRASES * present
    return ColumnKind(name, holds, single_words, characters / max(1.0, present) > _MAX_MEAN_EDITED_CHARACTERS)


def _identify(exchange: Exchange, rows: int) -> tuple[Indices, Indices, Indices]:
    """Each row's record or -1, and each record's first and second row."""
    exchange.run(*plan.IDENTIFY)
    first = np.arange(rows)
    for block in exchange.received("identical"):
        first[block["row"]] = block["first"]
    blank = np.zeros(rows, np.bool_)
    for block in exchange.received("blank"):
        blank[block["rows"]] = True
    is_first = (first == np.arange(rows)) & ~blank
    first_row = np.flatnonzero(is_first)
    number = np.cumsum(is_first) - 1
    record = np.where(blank, -1, number[first])
    # Of repeated assignments the last one holds, so the later rows of each record are written in reverse order.
    second_row = np.full(len(first_row), -1, np.int64)
    later = np.flatnonzero((record >= 0) & ~is_first)[::-1]
    second_row[record[later]] = later
    edges = np.linspace(0, rows, exchange.parts + 1).astype(np.int64)
    exchange.publish(**{"first rows": first_row, "record of row": record, "first records": np.searchsorted(first_row, edges)})
    return record, first_row, second_row


def _count_terms(exchange: Exchange) -> None:
    """Tokenizes the records and publishes how often each term occurs."""
    facts = exchange.facts
    vocabularies = [*RECORD_TERMS, WORD_PAIRS]
    for place in range(len(facts["columns"])):
        terms = (GRAMS,) if facts["kinds"][place].single_words else (GRAMS, WORDS, NUMBERS)
        vocabularies += [column_vocabulary(place, kind) for kind in terms]
    exchange.publish(vocabularies=vocabularies, **{"gram size": facts["limits"].gram_size})
    exchange.run(*plan.TOKENIZE)
    counted = exchange.received("counted")
    sample = sum(int(block["records"][0]) for block in counted)
    names = [name for name in vocabularies if name != WORD_PAIRS]
    exchange.publish(**term_counts(names, exchange.received("occurrences"), facts, sample))
    if facts["records"] > WORD_PAIRS_FROM_RECORDS:
        exchange.publish(**{"pair buckets": buckets_for(16 * sum(int(block["pairs"][0]) for block in counted))})
        exchange.run(*plan.PAIR_WORDS)
        exchange.publish(**term_counts([WORD_PAIRS], exchange.received("occurrences"), facts, sample))
