"""The probability of a match for every pair: a first score from the pair alone, then one with collective features."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from findmatches.classifier import PairClassifier, Probabilities, TrainingPairs, out_of_fold_probability, train
from findmatches.collective_features import collective_features
from findmatches.features import ROW_SIMILARITY, Matrix
from findmatches.labels import LabeledPairs
from findmatches.pairs import Pairs
from findmatches.preparation import PreparedTable, mean_similarity
from findmatches.pseudo_labels import pseudo_labels, reciprocal
from findmatches.settings import Settings

Indices = NDArray[np.int64]

# All pseudo-labels together weigh as much as so many labeled pairs, until labels contradict them. That two rows differ is
# assumed far more safely than that they match; and labels that somebody picked by hand often tell only very different rows
# apart. Where the table seems to hold more matches than these weights say, the differences weigh less: a classifier repeats
# the share of matches that it was trained on.
_PSEUDO_MATCHES_WEIGHT = 7.0
_MAX_PSEUDO_DIFFERENT_WEIGHT = 50.0
# Before any label, pseudo-matches are trusted as if so many labels had agreed. Their weight falls with a power of the share
# that agrees: where labels contradict, no pair should match on the strength of pseudo-labels.
_PRIOR_AGREEING_LABELS = 4.0
_TRUST_EXPONENT = 4
_MAX_PSEUDO_LABEL_CANDIDATES = 200_000
_MIN_TRANSITIVE_PROBABILITY = 0.4
# A record with more probable matches than this says little about whether those match each other.
_MAX_TRANSITIVE_MATCHES = 30
# Pairs with a lower first score are not scored again.
_MIN_RESCORED_PROBABILITY = 0.003
_TREES_OF_FIRST_SCORE = 30


@dataclass(frozen=True)
class PairScorer:
    """What was learned: the score of a pair alone, and the one that also knows the first scores of all other pairs."""

    first: PairClassifier
    second: PairClassifier


@dataclass(frozen=True)
class Evidence:
    """Pairs of records (`left` <= `right`) that a scorer was trained on, with their outcome; one length.

    `out_of_fold` is each pair's probability by classifiers that were not trained on its labeling set. The first `labeled`
    pairs were labeled, the others pseudo-labeled.
    """

    left: Indices
    right: Indices
    match: NDArray[np.bool_]
    out_of_fold: Probabilities
    labeled: int


@dataclass(frozen=True)
class ScoredPairs:
    """Distinct pairs of records (`left` <= `right`) with the probability that they match, 0..1; shape (pairs,) each.

    `labeled` and `held_out` are the places of those pairs among all. `out_of_fold`, per labeled pair, is the probability
    by classifiers that were not trained on its labeling set. `scorer` is None if there was nothing to learn from: all
    training pairs match, or none does.
    """

    left: Indices
    right: Indices
    probability: Probabilities
    out_of_fold: Probabilities
    labeled: Indices
    held_out: Indices
    scorer: PairScorer | None
    evidence: Evidence


def score(prepared: PreparedTable, labels: LabeledPairs, held_out: LabeledPairs, settings: Settings) -> ScoredPairs:
    """Learns from the labels and scores all candidate pairs, the labeled ones, and those of `held_out`.

    The outcomes of `held_out` are not used.
    """
    pairs, (labeled, tested) = _pairs_with(prepared, [(part.left, part.right) for part in (labels, held_out)])
    training = _training_pairs(prepared, pairs, labels, labeled, settings.seed)
    trained = (pairs.left[training.places], pairs.right[training.places], training.match)
    if training.match.all() or not training.match.any():
        similarity = pairs.map_all(mean_similarity).astype(np.float64)
        evidence = Evidence(*trained, similarity[training.places], len(labels))
        return ScoredPairs(pairs.left, pairs.right, similarity, similarity[labeled], labeled, tested, None, evidence)
    first = train(pairs.features(training.places), training, settings.seed, trees=_TREES_OF_FIRST_SCORE)
    pairs, probability = _first_scores(prepared, pairs, first)
    out_of_fold = out_of_fold_probability(pairs.features(training.places), training, settings.seed)
    collective = _collective(prepared, pairs, probability, training.places, out_of_fold)
    features = np.concatenate([pairs.features(training.places), collective[training.places]], axis=1)
    scorer = PairScorer(first, train(features, training, settings.seed))
    always = np.concatenate([training.places, tested])
    probability = _second_scores(pairs, scorer.second, collective, probability, always)
    evidence = Evidence(*trained, out_of_fold, len(labels))
    return ScoredPairs(pairs.left, pairs.right, probability, out_of_fold[: len(labels)], labeled, tested, scorer, evidence)


def score_with(prepared: PreparedTable, scorer: PairScorer | None, evidence: Evidence) -> ScoredPairs:
    """Scores all candidate pairs and those of the evidence by what was learned before."""
    pairs, (known,) = _pairs_with(prepared, [(evidence.left, evidence.right)])
    labeled, no_places = known[: evidence.labeled], np.zeros(0, np.int64)
    if scorer is None:
        probability = pairs.map_all(mean_similarity).astype(np.float64)
    else:
        pairs, probability = _first_scores(prepared, pairs, scorer.first)
        collective = _collective(prepared, pairs, probability, known, evidence.out_of_fold)
        probability = _second_scores(pairs, scorer.second, collective, probability, known)
    out_of_fold = evidence.out_of_fold[: evidence.labeled]
    return ScoredPairs(pairs.left, pairs.right, probability, out_of_fold, labeled, no_places, scorer, evidence)


def _pairs_with(prepared: PreparedTable, more: Sequence[tuple[Indices, Indices]]) -> tuple[Pairs, list[Indices]]:
    """The candidate pairs and, after them, `more` pairs of records, with the places of the latter."""
    records = len(prepared.first_row)
    pairs = Pairs(records, prepared.left, prepared.right, (prepared.candidates,))
    keys = [left * records + right for left, right in more]
    pairs = pairs.extended(prepared.extractor, pairs.missing(np.concatenate(keys)))
    return pairs, [pairs.places(part) for part in keys]


def _first_scores(prepared: PreparedTable, pairs: Pairs, first: PairClassifier) -> tuple[Pairs, Probabilities]:
    """The pairs and, after them, transitive ones, with their probability by themselves alone."""
    probability = pairs.map_all(first.probability)
    pairs = pairs.extended(prepared.extractor, _transitive_pairs(pairs, probability))
    new = np.arange(len(probability), len(pairs))
    return pairs, np.append(probability, pairs.map_at(new, lambda features, _: first.probability(features)))


def _collective(
    prepared: PreparedTable, pairs: Pairs, probability: Probabilities, trained: Indices, out_of_fold: Probabilities
) -> Matrix:
    """Collective features of all pairs; shape (pairs, width)."""
    # Training pairs enter by their out-of-fold probability: by its own training data the first classifier would look
    # perfect there, and nowhere else.
    probability[trained] = out_of_fold
    return collective_features(prepared.extractor.columns, pairs.left, pairs.right, probability)


def _second_scores(
    pairs: Pairs, second: PairClassifier, collective: Matrix, probability: Probabilities, always: Indices
) -> Probabilities:
    """The final probability of each pair; a hopeless pair keeps its first one unless it is among `always`."""
    rescored = probability >= _MIN_RESCORED_PROBABILITY
    rescored[always] = True
    places = np.flatnonzero(rescored)
    probability[places] = pairs.map_at(
        places, lambda features, part: second.probability(np.concatenate([features, collective[part]], axis=1))
    )
    return probability


def _training_pairs(prepared: PreparedTable, pairs: Pairs, labels: LabeledPairs, labeled: Indices, seed: int) -> TrainingPairs:
    """The labeled pairs, and after them pseudo-labeled ones with little weight."""
    sample = np.arange(len(pairs))
    if len(sample) > _MAX_PSEUDO_LABEL_CANDIDATES:
        sample = np.sort(np.random.default_rng(seed).choice(sample, _MAX_PSEUDO_LABEL_CANDIDATES, replace=False))
    similarity = pairs.features(sample)[:, ROW_SIMILARITY]
    pseudo = pseudo_labels(prepared.neighbors, pairs.left[sample], pairs.right[sample], similarity, seed)
    # Labels of pairs that would be pseudo-matches show how far these can be trusted.
    own = pairs.features(labeled)[:, ROW_SIMILARITY]
    alike = reciprocal(prepared.neighbors, labels.left, labels.right, own) & (own.mean(axis=1) >= pseudo.threshold)
    agreeing = (_PRIOR_AGREEING_LABELS + labels.match[alike].sum()) / (_PRIOR_AGREEING_LABELS + alike.sum())
    weight = np.ones(len(labels) + len(pseudo))
    different_per_match = (1 - pseudo.match_share) / max(pseudo.match_share, 1e-9)
    different = min(_MAX_PSEUDO_DIFFERENT_WEIGHT, _PSEUDO_MATCHES_WEIGHT * different_per_match)
    total = np.where(pseudo.match, _PSEUDO_MATCHES_WEIGHT * agreeing**_TRUST_EXPONENT, different)
    weight[len(labels) :] = total / np.maximum(np.where(pseudo.match, pseudo.match.sum(), (~pseudo.match).sum()), 1)
    fold = np.concatenate([labels.fold, np.arange(len(pseudo))])
    match = np.concatenate([labels.match, pseudo.match])
    return TrainingPairs(np.concatenate([labeled, sample[pseudo.places]]), match, weight, fold)


def _transitive_pairs(pairs: Pairs, probability: Probabilities) -> Indices:
    """Keys of new pairs whose records both probably match the same third record."""
    # Paths of length two are the square of the adjacency matrix.
    probable = (probability >= _MIN_TRANSITIVE_PROBABILITY) & (pairs.left != pairs.right)
    left, right = pairs.left[probable], pairs.right[probable]
    ends = (np.append(left, right), np.append(right, left))
    links = sparse.csr_matrix((np.ones(len(ends[0]), np.float32), ends), shape=(pairs.records, pairs.records))
    middle = links[np.flatnonzero(np.diff(links.indptr) <= _MAX_TRANSITIVE_MATCHES)]
    shared = sparse.triu(middle.T.tocsr() @ middle, k=1).tocoo()
    return pairs.missing(shared.row.astype(np.int64) * pairs.records + shared.col)
