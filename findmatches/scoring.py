"""How likely every candidate pair matches, from the labels so far: a first opinion, then one that knows the context."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from findmatches.classifier import Chances, Known, Model, learn, unprejudiced
from findmatches.collective_features import context
from findmatches.features import LIKENESS
from findmatches.labels import LabeledPairs
from findmatches.pairs import Pairs, candidate_pairs
from findmatches.pipeline import Prepared, likeness
from findmatches.pseudo_labels import guess
from findmatches.settings import Settings

Indices = NDArray[np.int64]

# The guess from the table's structure weighs as much as so many labeled pairs. That two rows differ is guessed far more
# surely than that they match; and labels that somebody chose by hand often tell only strangers apart.
_GUESSED_MATCHES_COUNT_AS = 7.0
_GUESSED_DIFFERENT_COUNT_AS = 50.0
_FRIENDS_FROM = 0.4
# A row with more likely partners than this says little about whether those match each other.
_MOST_FRIENDS = 30
_GUESS_FROM = 200_000
# Pairs that the first opinion finds less likely than this get no second one.
_HOPELESS = 0.003
_TREES_AT_FIRST = 30


@dataclass(frozen=True)
class Scored:
    """Distinct pairs of records (`left` <= `right`) with the probability that they match.

    `labeled` and `also` are the places of those pairs among all; `blind` is, for each labeled pair, the opinion of models
    that did not learn from its labeling set.
    """

    left: Indices
    right: Indices
    likely: Chances
    blind: Chances
    labeled: Indices
    also: Indices
    model: Model | None


def score(prepared: Prepared, labels: LabeledPairs, also: LabeledPairs, settings: Settings) -> Scored:
    """All candidate pairs, the labeled ones, and those of `also`, of which the outcome is not looked at."""
    pairs = candidate_pairs(prepared)
    count = len(prepared.row_of)
    asked = [part.left * count + part.right for part in (labels, also)]
    pairs = pairs.with_more(prepared, _new(np.concatenate(asked), pairs))
    labeled, others = (pairs.places(keys) for keys in asked)
    known = _known(prepared, pairs, labels, labeled, settings.seed)
    if known.match.all() or not known.match.any():
        same = pairs.each(likeness).astype(np.float64)
        return Scored(pairs.left, pairs.right, same, same[labeled], labeled, others, None)
    first = learn(pairs.take(known.places), known, settings.seed, trees=_TREES_AT_FIRST)
    likely = pairs.each(first.chances)
    friends = _friends_of_friends(pairs, likely)
    pairs = pairs.with_more(prepared, friends)
    likely = np.append(likely, pairs.some(np.arange(len(likely), len(pairs.left)), lambda own, _: first.chances(own)))
    blind = unprejudiced(pairs.take(known.places), known, settings.seed)
    likely[known.places] = blind
    around = context(prepared.comparison.columns, pairs.left, pairs.right, likely)
    own = np.concatenate([pairs.take(known.places), around[known.places]], axis=1)
    model = learn(own, known, settings.seed)
    doubtful = likely >= _HOPELESS
    doubtful[known.places] = doubtful[others] = True
    again = np.flatnonzero(doubtful)
    likely[again] = pairs.some(again, lambda own, places: model.chances(np.concatenate([own, around[places]], axis=1)))
    return Scored(pairs.left, pairs.right, likely, blind[: len(labels)], labeled, others, model)


def _known(prepared: Prepared, pairs: Pairs, labels: LabeledPairs, labeled: Indices, seed: int) -> Known:
    """What to learn from: the labels, and with little weight the guess."""
    some = np.arange(len(pairs.left))
    if len(some) > _GUESS_FROM:
        some = np.sort(np.random.default_rng(seed).choice(some, _GUESS_FROM, replace=False))
    guessed = guess(prepared.near, pairs.left[some], pairs.right[some], pairs.take(some)[:, LIKENESS], seed)
    weight = np.ones(len(labels) + len(guessed.pairs))
    counts_as = np.where(guessed.match, _GUESSED_MATCHES_COUNT_AS, _GUESSED_DIFFERENT_COUNT_AS)
    weight[len(labels) :] = counts_as / np.maximum(np.where(guessed.match, guessed.match.sum(), (~guessed.match).sum()), 1)
    fold = np.concatenate([labels.fold, np.arange(len(guessed.pairs))])
    match = np.concatenate([labels.match, guessed.match])
    return Known(np.concatenate([labeled, some[guessed.pairs]]), match, weight, fold)


def _friends_of_friends(pairs: Pairs, likely: Chances) -> Indices:
    """Keys of pairs whose rows both probably match a third one, but were not among the candidates."""
    close = (likely >= _FRIENDS_FROM) & (pairs.left != pairs.right)
    left, right = pairs.left[close], pairs.right[close]
    ends = (np.append(left, right), np.append(right, left))
    links = sparse.csr_matrix((np.ones(len(ends[0]), np.float32), ends), shape=(pairs.rows, pairs.rows))
    between = links[np.flatnonzero(np.diff(links.indptr) <= _MOST_FRIENDS)]
    shared = sparse.triu(between.T.tocsr() @ between, k=1).tocoo()
    return _new(shared.row.astype(np.int64) * pairs.rows + shared.col, pairs)


def _new(keys: Indices, pairs: Pairs) -> Indices:
    """Those keys, each once, that are not among the pairs yet."""
    # Whose keys differ: telling that to numpy saves it most of its work.
    return np.setdiff1d(np.unique(keys), pairs.keys, assume_unique=True)
