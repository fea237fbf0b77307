"""Guests: what a part needs of records of other parts, to compare its pairs."""

from collections.abc import Iterable

import numpy as np

from findmatches.blocking import Indices
from findmatches.blocks.block import Block, Blocks, Facts, Sent, distinct_keys, joined
from findmatches.blocks.rows import opened
from findmatches.stages.search import owner
from findmatches.stages.terms import CODES, GRAMS, NUMBERS, PHRASES, WORDS, taken_terms

_NO_REQUESTS: Block = {"record": np.zeros(0, np.int64), "by": np.zeros(0, np.int64)}


def requests(kind: str, part: int, records: Indices, facts: Facts) -> Iterable[Sent]:
    """Asks the parts that have the records for them, each once; the part's own are left out."""
    if facts["parts"] == 1:
        return
    distinct = distinct_keys(records)
    to = owner(distinct, facts)
    for other in np.unique(to).tolist():
        if other != part:
            record = distinct[to == other]
            yield other, kind, {"record": record, "by": np.full(len(record), part)}


def request_terms(part: int, blocks: Blocks, facts: Facts) -> Iterable[Sent]:
    """`searched` -> `term requests` for the records of other parts; the distinct pairs stay, as `unique`."""
    block = joined(blocks["searched"], {"left": np.zeros(0, np.int64), "right": np.zeros(0, np.int64)})
    keys = distinct_keys(block["left"] * facts["records"] + block["right"])
    left, right = keys // facts["records"], keys % facts["records"]
    yield part, "unique", {"left": left, "right": right}
    yield from requests("term requests", part, np.append(left, right), facts)


def ship_terms(_: int, blocks: Blocks, facts: Facts) -> Iterable[Sent]:
    """`term requests`, `terms` -> `guest terms`: words and grams of the records that other parts asked for."""
    for by, places in _asked(blocks["term requests"], blocks["terms"]):
        yield by, "guest terms", taken_terms(blocks["terms"][0], (WORDS, GRAMS), places, facts)


def ship_rows(_: int, blocks: Blocks, facts: Facts) -> Iterable[Sent]:
    """`row requests`, `rows`, `terms` -> `guest rows` and `guest row terms`, for the parts that asked for them."""
    if not blocks["row requests"]:
        return
    rows = opened(blocks["rows"][0])
    for by, places in _asked(blocks["row requests"], blocks["terms"]):
        yield by, "guest rows", rows.take(places).block()
        yield by, "guest row terms", taken_terms(blocks["terms"][0], (PHRASES, CODES, NUMBERS), places, facts)


def _asked(requested: Iterable[Block], terms: Iterable[Block]) -> Iterable[tuple[int, Indices]]:
    block = joined(list(requested), _NO_REQUESTS)
    numbers = next(iter(terms))["numbers"]
    for by in np.unique(block["by"]).tolist():
        yield by, np.searchsorted(numbers, np.unique(block["record"][block["by"] == by]))
