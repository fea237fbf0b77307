"""How likely every candidate pair matches, from the labels so far: a first opinion, then one that knows the context."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from local.glue.findmatches.context import context
from local.glue.findmatches.features import Matrix
from local.glue.findmatches.guess import guess
from local.glue.findmatches.labels import LabelledPairs
from local.glue.findmatches.model import Chances, Model, first_opinion, learn
from local.glue.findmatches.pipeline import Prepared, likeness
from local.glue.findmatches.settings import Settings

Indices = NDArray[np.int64]

# The guess from the table's structure weighs as much as so many labelled pairs.
_GUESS_COUNTS_AS = 20.0


@dataclass(frozen=True)
class Scored:
    """Pairs of records (`left` <= `right`, sorted, distinct) with the probability that they match.

    `linear` is the opinion of the linear model alone; `labelled` tells for each labelled pair its place among the pairs.
    """

    left: Indices
    right: Indices
    likely: Chances
    linear: Chances
    labelled: Indices
    model: Model | None


def score(prepared: Prepared, labels: LabelledPairs, also: LabelledPairs, settings: Settings) -> Scored:
    """All candidate pairs, the labelled ones, and those of `also`, of which the outcome is not looked at."""
    left, right, features = _universe(prepared, labels, also)
    count = len(prepared.row_of)
    places = np.searchsorted(left * count + right, labels.left * count + labels.right)
    guessed = guess(prepared.near, left, right, likeness(features), settings.seed)
    places_learnt = np.concatenate([places, guessed.pairs])
    match = np.concatenate([labels.match, guessed.match])
    if match.all() or not match.any():
        same = likeness(features).astype(np.float64)
        return Scored(left, right, same, same, places, None)
    weight = np.ones(len(match))
    weight[len(labels) :] = _GUESS_COUNTS_AS / max(len(guessed.pairs), 1)
    fold = np.concatenate([labels.fold, np.arange(len(guessed.pairs))])
    first = first_opinion(features, places_learnt, match, weight, fold, settings.seed)
    full = np.concatenate([features, context(prepared.comparison.columns, left, right, first)], axis=1)
    model = learn(full[places_learnt], match, weight, settings.seed)
    linear, trees = model.members(full)
    return Scored(left, right, (linear + trees) / 2, linear, places, model)


def _universe(prepared: Prepared, *more: LabelledPairs) -> tuple[Indices, Indices, Matrix]:
    count = len(prepared.row_of)
    known = prepared.left * count + prepared.right
    extra = np.setdiff1d(np.concatenate([pairs.left * count + pairs.right for pairs in more]), known)
    features = np.concatenate([prepared.features, prepared.comparison.features(extra // count, extra % count)])
    keys = np.append(known, extra)
    order = np.argsort(keys, kind="stable")
    return keys[order] // count, keys[order] % count, features[order]
