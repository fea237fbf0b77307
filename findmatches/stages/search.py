"""The search for candidate pairs: an inverted index of rare terms, divided by term, then by record."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from findmatches import tokenization
from findmatches.blocking import Indices, best_pairs, rarest_terms
from findmatches.blocks.block import Block, Blocks, Facts, Sent, distinct_keys, joined, routed
from findmatches.stages.terms import GRAMS, PHRASES, WORD_PAIRS, opened_terms
from findmatches.term_vectors import tf_idf

_BATCH_RECORDS = 4000
_KIND_BITS = 22  # as many as the largest vocabulary has
_NO_POSTINGS: Block = {"term": np.zeros(0, np.int32), "record": np.zeros(0, np.int64), "weight": np.zeros(0, np.float32)}


def owner(records: Indices, facts: Facts) -> Indices:
    """The part that has each record."""
    parts: Indices = np.searchsorted(facts["first records"], records, side="right") - 1
    return parts


def home(left: Indices, right: Indices, facts: Facts) -> Indices:
    """The part that compares each pair: that of either record, by a hash, so that no record's part gets all its pairs."""
    side = pair_hashes(left, right) & np.uint64(1)
    return owner(np.where(side == 0, left, right), facts)


def pair_hashes(left: Indices, right: Indices) -> NDArray[np.uint64]:
    """A hash per pair of records."""
    return tokenization.mixed(
        tokenization.mixed(left.astype(np.uint64) + np.uint64(1)) * np.uint64(3) + right.astype(np.uint64)
    )


def postings(_: int, blocks: Blocks, facts: Facts) -> Iterable[Sent]:
    """`terms`, `word pairs` -> `postings`: each record's rarest terms, to the part that lists the term's records."""
    block, parts = blocks["terms"][0], facts["parts"]
    numbers, (phrases, grams) = opened_terms(block, (PHRASES, GRAMS), facts)
    limits = facts["limits"]
    kinds = [(phrases, PHRASES, limits.budget // 2), (grams, GRAMS, limits.budget)]
    if blocks["word pairs"]:
        pairs = opened_terms(blocks["word pairs"][0], (WORD_PAIRS,), facts)[1][0]
        kinds.append((pairs, WORD_PAIRS, limits.budget // 2))
    for vocabulary, (counts, name, budget) in enumerate(kinds):
        rarest = rarest_terms(tf_idf(counts, facts[name]), facts[name].occurs, budget)
        term = rarest.indices.astype(np.int32) | np.int32(vocabulary << _KIND_BITS)
        records = np.repeat(numbers, np.diff(rarest.indptr))
        yield from routed(
            (term % parts).astype(np.int64), "postings", {"term": term, "record": records, "weight": rarest.data}, parts
        )


def list_records(_: int, blocks: Blocks, facts: Facts) -> Iterable[Sent]:
    """`postings` -> the `lists` of records by term, to every part that has a record with the term."""
    parts = facts["parts"]
    block = joined(blocks["postings"], _NO_POSTINGS)
    if parts == 1:
        yield 0, "lists", block
        return
    order = np.argsort((block["term"].astype(np.int64) << 32) + block["record"])
    term, record, weight = (block[name][order] for name in ("term", "record", "weight"))
    starts = np.flatnonzero(np.append(True, term[1:] != term[:-1])[: len(term)])
    lengths = np.diff(np.append(starts, len(term)))
    number = np.repeat(np.arange(len(starts)), lengths)
    to = owner(record, facts)
    for part in range(parts):
        wanted = np.zeros(len(starts), np.bool_)
        wanted[number[to == part]] = True
        chosen = (wanted & (lengths > 1))[number]
        if chosen.any():
            yield part, "lists", {"term": term[chosen], "record": record[chosen], "weight": weight[chosen]}


def search(part: int, blocks: Blocks, facts: Facts) -> Iterable[Sent]:
    """`lists` -> `searched` pairs that share rare terms, to where they are compared."""
    parts, searched = facts["parts"], facts["limits"].searched
    first, last = facts["first records"][part], facts["first records"][part + 1]
    block = joined(blocks["lists"], _NO_POSTINGS)
    if not len(block["term"]) or first == last:
        return
    weighted, by_term, records = _index(block, first, last)
    keys = []
    for start in range(0, weighted.shape[0], _BATCH_RECORDS):
        # An inverted index is the transposed matrix; one sparse product scores a batch of records against all others
        # (Bayardo, Ma and Srikant, "Scaling up all pairs similarity search", 2007).
        shared = weighted[start : start + _BATCH_RECORDS] @ by_term
        left, right = best_pairs(shared, start, records, searched)
        low, high = np.minimum(left, right), np.maximum(left, right)
        keys.append((low * facts["records"] + high)[low != high])
    pairs = distinct_keys(np.concatenate(keys))
    low, high = pairs // facts["records"], pairs % facts["records"]
    yield from routed(home(low, high, facts), "searched", {"left": low, "right": high}, parts)


def _index(block: Block, first: int, last: int) -> tuple[Any, Any, Indices]:
    """The part's own records x terms, terms x all records at hand, and the numbers of those records."""
    # Terms are numbered in ascending order: sums of weights then come out the same in any parts.
    present = np.zeros(int(block["term"].max()) + 1, np.bool_)
    present[block["term"]] = True
    term = (np.cumsum(present, dtype=np.int32) - 1)[block["term"]]
    own = (block["record"] >= first) & (block["record"] < last)
    others = distinct_keys(block["record"][~own])
    records = np.concatenate([np.arange(first, last), others])
    column = np.where(own, block["record"] - first, last - first + np.searchsorted(others, block["record"]))
    shape = (len(records), int(present.sum()))
    by_record = sparse.csr_matrix((block["weight"], (column.astype(np.int32), term)), shape=shape)
    return by_record[: last - first], by_record.T.tocsr(), records
