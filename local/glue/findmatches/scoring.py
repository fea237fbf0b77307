"""How likely every candidate pair matches, from the labels so far: a first opinion, then one that knows the context."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from local.glue.findmatches.context import context
from local.glue.findmatches.features import Matrix
from local.glue.findmatches.guess import guess
from local.glue.findmatches.labels import LabelledPairs
from local.glue.findmatches.model import Chances, Known, Model, learn, unprejudiced
from local.glue.findmatches.pipeline import Prepared, likeness
from local.glue.findmatches.settings import Settings

Indices = NDArray[np.int64]

# The guess from the table's structure weighs as much as so many labelled pairs.
_GUESS_COUNTS_AS = 20.0
_FRIENDS_FROM = 0.4
_FRIENDS_PER_PAIR = 2
# Pairs that the first opinion finds less likely than this get no second one.
_HOPELESS = 0.003
_TREES_AT_FIRST = 30


@dataclass(frozen=True)
class Scored:
    """Distinct pairs of records (`left` <= `right`) with the probability that they match.

    `linear` is the opinion of the linear model alone; `labelled` and `also` are the places of those pairs among all.
    """

    left: Indices
    right: Indices
    likely: Chances
    linear: Chances
    labelled: Indices
    also: Indices
    model: Model | None


def score(prepared: Prepared, labels: LabelledPairs, also: LabelledPairs, settings: Settings) -> Scored:
    """All candidate pairs, the labelled ones, and those of `also`, of which the outcome is not looked at."""
    count = len(prepared.row_of)
    left, right, features = _universe(prepared, labels, also)
    labelled, others = (np.searchsorted(left * count + right, part.left * count + part.right) for part in (labels, also))
    known = _known(prepared, left, right, features, labels, labelled)
    if known.match.all() or not known.match.any():
        same = likeness(features).astype(np.float64)
        return Scored(left, right, same, same, labelled, others, None)
    first = learn(features, known, settings.seed, trees=_TREES_AT_FIRST)
    likely = first.chances(features)
    friends = _friends_of_friends(left, right, likely, count)
    left, right = np.append(left, friends // count), np.append(right, friends % count)
    met = prepared.comparison.features(friends // count, friends % count)
    features, likely = np.concatenate([features, met]), np.append(likely, first.chances(met))
    likely[known.places] = unprejudiced(features, known, settings.seed)
    full = np.concatenate([features, context(prepared.comparison.columns, left, right, likely)], axis=1)
    model = learn(full, known, settings.seed)
    linear = likely.copy()
    doubtful = likely >= _HOPELESS
    doubtful[known.places] = True
    doubtful[others] = True
    linear[doubtful], trees = model.members(full[doubtful])
    likely[doubtful] = (linear[doubtful] + trees) / 2
    return Scored(left, right, likely, linear, labelled, others, model)


def _known(
    prepared: Prepared, left: Indices, right: Indices, features: Matrix, labels: LabelledPairs, labelled: Indices
) -> Known:
    """What to learn from: the labels, and with little weight the guess."""
    guessed = guess(prepared.near, left, right, likeness(features), 0)
    weight = np.ones(len(labels) + len(guessed.pairs))
    weight[len(labels) :] = _GUESS_COUNTS_AS / max(len(guessed.pairs), 1)
    fold = np.concatenate([labels.fold, np.arange(len(guessed.pairs))])
    match = np.concatenate([labels.match, guessed.match])
    return Known(np.concatenate([labelled, guessed.pairs]), match, weight, fold)


def _friends_of_friends(left: Indices, right: Indices, likely: Chances, count: int) -> Indices:
    """Pairs whose rows both probably match a third one, but were not among the candidates."""
    close = (likely >= _FRIENDS_FROM) & (left != right)
    ends = (np.append(left[close], right[close]), np.append(right[close], left[close]))
    links = sparse.csr_matrix((np.ones(len(ends[0]), np.float32), ends), shape=(count, count))
    shared = sparse.triu(links @ links, k=1).tocoo()
    keys = np.setdiff1d(shared.row.astype(np.int64) * count + shared.col, left * count + right)
    return keys[: _FRIENDS_PER_PAIR * len(left)]


def _universe(prepared: Prepared, *more: LabelledPairs) -> tuple[Indices, Indices, Matrix]:
    count = len(prepared.row_of)
    known = prepared.left * count + prepared.right
    extra = np.setdiff1d(np.concatenate([pairs.left * count + pairs.right for pairs in more]), known)
    features = np.concatenate([prepared.features, prepared.comparison.features(extra // count, extra % count)])
    keys = np.append(known, extra)
    order = np.argsort(keys, kind="stable")
    return keys[order] // count, keys[order] % count, features[order]
