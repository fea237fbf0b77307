"""Collective features, and the second score that rests on them.

From the first scores of all pairs: at which rate two values or two writing styles match, and whether one of the two records
has a competing pair. Bhattacharya and Getoor, "Collective entity resolution in relational data", 2007.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from findmatches.blocking import Indices
from findmatches.blocks.block import DRIVER, Block, Blocks, Facts, Sent, joined, routed
from findmatches.collective_features import competing_probability, match_rate
from findmatches.stages.comparison import pair_keys
from findmatches.stages.search import owner

# Probabilities are summed as whole numbers, so that the order of the summands changes nothing.
UNIT = 1 << 24

_NO_RATES: Block = {"key": np.zeros(0, np.uint64), "matches": np.zeros(0, np.int64), "pairs": np.zeros(0, np.int64)}
_NO_SUMS: Block = _NO_RATES | {"by": np.zeros(0, np.int64)}
_NO_BEST: Block = {"record": np.zeros(0, np.int64), "best": np.zeros(0), "second": np.zeros(0)}
_NO_SCORES: Block = {"key": np.zeros(0, np.int64), "probability": np.zeros(0)}


def sum_scores(part: int, blocks: Blocks, facts: Facts) -> Iterable[Sent]:
    """`features`, `first score` -> per pair of values the `sums` of its pairs, and per record its `best` pairs, by part."""
    parts = facts["parts"]
    features = _features(blocks, facts)
    if not features:
        return
    scores = _first_scores(blocks)
    for_rates = [(block["value keys"], _probability(block, scores, facts)) for block in features]
    keys = np.concatenate([keys.ravel() for keys, _ in for_rates])
    units = np.concatenate([np.repeat(_units(probability), keys.shape[1]) for keys, probability in for_rates])
    distinct, inverse = np.unique(keys, return_inverse=True)
    matches = _summed(inverse.ravel(), units, len(distinct))
    pairs = np.bincount(inverse.ravel(), minlength=len(distinct))
    yield part, "places", {"place": inverse.ravel().astype(np.int32)}
    block = {"key": distinct, "matches": matches, "pairs": pairs, "by": np.full(len(distinct), part)}
    yield from routed((distinct % np.uint64(parts)).astype(np.int64), "sums", block, parts)
    ends, of_ends = _ends(blocks, scores, facts)
    records, best, second = _two_best(ends, of_ends)
    block = {"record": records, "best": best, "second": second, "by": np.full(len(records), part)}
    yield from routed(owner(records, facts), "best", block, parts)


def sum_rates(_: int, blocks: Blocks, facts: Facts) -> Iterable[Sent]:
    """`sums`, `best` -> the totals, `rates` and `two best`, to the parts that have the pairs."""
    sums = joined(blocks["sums"], _NO_SUMS)
    distinct, inverse = np.unique(sums["key"], return_inverse=True)
    inverse = inverse.ravel()
    matches, pairs = _summed(inverse, sums["matches"], len(distinct)), _summed(inverse, sums["pairs"], len(distinct))
    block = {"key": sums["key"], "matches": matches[inverse], "pairs": pairs[inverse]}
    yield from routed(sums["by"], "rates", block, facts["parts"])
    best = joined(blocks["best"], _NO_BEST | {"by": np.zeros(0, np.int64)})
    records, first, second = _two_best(np.tile(best["record"], 2), np.append(best["best"], best["second"]))
    place = np.searchsorted(records, best["record"])
    block = {"record": best["record"], "best": first[place], "second": second[place]}
    yield from routed(best["by"], "two best", block, facts["parts"])


def relate(part: int, blocks: Blocks, facts: Facts) -> Iterable[Sent]:
    """`features`, `first score`, `rates`, `two best` -> the `collective` features; those of wanted pairs to the driver."""
    rates, best = joined(blocks["rates"], _NO_RATES), joined(blocks["two best"], _NO_BEST)
    by_key, by_record = np.argsort(rates["key"]), np.argsort(best["record"])
    rates = {name: array[by_key] for name, array in rates.items()}
    best = {name: array[by_record] for name, array in best.items()}
    scores = _first_scores(blocks)
    start = 0
    for block in _features(blocks, facts):
        probability = _probability(block, scores, facts)
        # The rates that came back are those of the keys that this part asked for, which it numbered in order.
        keys = block["value keys"]
        places = blocks["places"][0]["place"][start : start + keys.size].reshape(keys.shape)
        start += keys.size
        of_pair = _units(probability)[:, None]
        features = [match_rate((rates["matches"][places] - of_pair) / UNIT, rates["pairs"][places] - 1, facts["mean"])]
        of_records = [np.searchsorted(best["record"], block[side]) for side in ("left", "right")]
        competing = [competing_probability(probability, best["best"][place], best["second"][place]) for place in of_records]
        features += [np.maximum(*competing)[:, None], np.minimum(*competing)[:, None]]
        collective = np.concatenate(features, axis=1).astype(np.float32)
        yield part, "collective", {"key": pair_keys(block, facts), "features": collective}
        shown = np.isin(pair_keys(block, facts), facts["training keys"])
        yield DRIVER, "collective", {"key": pair_keys(block, facts)[shown], "features": collective[shown]}


def score_second(_: int, blocks: Blocks, facts: Facts) -> Iterable[Sent]:
    """`features`, `collective`, `first score` -> the `second score` of the pairs that are not hopeless, to the driver."""
    collective: Block = {"key": np.zeros(0, np.int64), "features": np.zeros((0, 0), np.float32)}
    if blocks["collective"]:
        collective = {name: np.concatenate([block[name] for block in blocks["collective"]]) for name in collective}
    order = np.argsort(collective["key"])
    keys = collective["key"][order]
    scores = _first_scores(blocks)
    for block in _features(blocks, facts):
        own = pair_keys(block, facts)
        rescored = _probability(block, scores, facts) >= facts["min rescored"]
        rescored |= np.isin(own, facts["kept keys"])
        places = np.flatnonzero(rescored)
        related = collective["features"][order[np.searchsorted(keys, own[places])]]
        features = np.concatenate([block["features"][places], related], axis=1)
        probability = facts["second classifier"].probability(features)
        yield DRIVER, "second score", {"key": own[places], "probability": probability}


def _features(blocks: Blocks, facts: Facts) -> list[Block]:
    """The blocks of compared pairs in the order of their first pair, whatever the order of their arrival."""
    features = [*blocks["candidate features"], *blocks["features"]]
    return sorted(features, key=lambda block: int(pair_keys(block, facts)[0]))


def _first_scores(blocks: Blocks) -> Block:
    """The first scores of the part's pairs, in the order of their keys."""
    scores = joined(blocks["first score"], _NO_SCORES)
    order = np.argsort(scores["key"])
    return {name: array[order] for name, array in scores.items()}


def _probability(block: Block, scores: Block, facts: Facts) -> NDArray[np.float64]:
    """The first scores of the block's pairs; of training pairs, by classifiers that were not trained on them."""
    keys = pair_keys(block, facts)
    probability: NDArray[np.float64] = scores["probability"][np.searchsorted(scores["key"], keys)]
    trained = np.isin(keys, facts["training keys"])
    probability[trained] = facts["training probability"][np.searchsorted(facts["training keys"], keys[trained])]
    return probability


def _ends(blocks: Blocks, scores: Block, facts: Facts) -> tuple[Indices, NDArray[np.float64]]:
    ends, probabilities = [], []
    for block in _features(blocks, facts):
        between = block["left"] != block["right"]
        probability = _probability(block, scores, facts)[between]
        ends += [block["left"][between], block["right"][between]]
        probabilities += [probability, probability]
        # A record that is only in pairs with itself has no competing pair.
        ends.append(block["left"][~between])
        probabilities.append(np.zeros(int((~between).sum())))
    return np.concatenate(ends), np.concatenate(probabilities)


def _two_best(ends: Indices, probability: NDArray[np.float64]) -> tuple[Indices, NDArray[np.float64], NDArray[np.float64]]:
    """Each record once, and the probabilities of its best and second best pair, 0 where there is none."""
    order = np.lexsort((-probability, ends))
    ends, probability = ends[order], probability[order]
    starts = np.flatnonzero(np.append(True, ends[1:] != ends[:-1])[: len(ends)])
    counts = np.diff(np.append(starts, len(ends)))
    padded = np.append(probability, 0)
    return ends[starts], probability[starts], np.where(counts > 1, padded[starts + (counts > 1)], 0.0)


def _units(probability: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.rint(probability * UNIT).astype(np.int64)


def _summed(groups: NDArray[np.int64], numbers: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """The sum of each group's numbers."""
    # A whole number below 2^53 stays exact as a float.
    return np.rint(np.bincount(groups, weights=numbers, minlength=count)).astype(np.int64)
