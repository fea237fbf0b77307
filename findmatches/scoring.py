"""The probability of a match for every pair: a first score from the pair alone, then one with collective features."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from findmatches.classifier import PairClassifier, Probabilities, TrainingPairs, out_of_fold_probability, train
from findmatches.collective_features import collective_features
from findmatches.features import ROW_SIMILARITY
from findmatches.labels import LabeledPairs
from findmatches.pairs import Pairs
from findmatches.preparation import PreparedTable, mean_similarity
from findmatches.pseudo_labels import pseudo_labels, reciprocal
from findmatches.settings import Settings

Indices = NDArray[np.int64]

# All pseudo-labels together weigh as much as so many labeled pairs, until labels contradict them. That two rows differ is
# assumed far more safely than that they match; and labels that somebody picked by hand often tell only very different rows
# apart.
_PSEUDO_MATCHES_WEIGHT = 7.0
_PSEUDO_DIFFERENT_WEIGHT = 50.0
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
class ScoredPairs:
    """Distinct pairs of records (`left` <= `right`) with the probability that they match, 0..1; shape (pairs,) each.

    `labeled` and `held_out` are the places of those pairs among all. `out_of_fold`, per labeled pair, is the probability
    by classifiers that were not trained on its labeling set.
    """

    left: Indices
    right: Indices
    probability: Probabilities
    out_of_fold: Probabilities
    labeled: Indices
    held_out: Indices
    classifier: PairClassifier | None


def score(prepared: PreparedTable, labels: LabeledPairs, held_out: LabeledPairs, settings: Settings) -> ScoredPairs:
    """All candidate pairs, the labeled ones, and those of `held_out`, whose outcomes are not used."""
    records = len(prepared.first_row)
    extractor = prepared.extractor
    pairs = Pairs(records, prepared.left, prepared.right, (prepared.candidates,))
    keys = [part.left * records + part.right for part in (labels, held_out)]
    pairs = pairs.extended(extractor, pairs.missing(np.concatenate(keys)))
    labeled, tested = (pairs.places(part) for part in keys)
    training = _training_pairs(prepared, pairs, labels, labeled, settings.seed)
    if training.match.all() or not training.match.any():
        similarity = pairs.map_all(mean_similarity).astype(np.float64)
        return ScoredPairs(pairs.left, pairs.right, similarity, similarity[labeled], labeled, tested, None)
    first = train(pairs.features(training.places), training, settings.seed, trees=_TREES_OF_FIRST_SCORE)
    probability = pairs.map_all(first.probability)
    pairs = pairs.extended(extractor, _transitive_pairs(pairs, probability))
    new = np.arange(len(probability), len(pairs))
    probability = np.append(probability, pairs.map_at(new, lambda features, _: first.probability(features)))
    # Training pairs enter the collective features by their out-of-fold probability: by its own training data the first
    # classifier would look perfect there, and nowhere else.
    out_of_fold = out_of_fold_probability(pairs.features(training.places), training, settings.seed)
    probability[training.places] = out_of_fold
    collective = collective_features(extractor.columns, pairs.left, pairs.right, probability)
    features = np.concatenate([pairs.features(training.places), collective[training.places]], axis=1)
    second = train(features, training, settings.seed)
    rescored = probability >= _MIN_RESCORED_PROBABILITY
    rescored[training.places] = rescored[tested] = True
    places = np.flatnonzero(rescored)
    probability[places] = pairs.map_at(
        places, lambda features, part: second.probability(np.concatenate([features, collective[part]], axis=1))
    )
    return ScoredPairs(pairs.left, pairs.right, probability, out_of_fold[: len(labels)], labeled, tested, second)


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
    total = np.where(pseudo.match, _PSEUDO_MATCHES_WEIGHT * agreeing**_TRUST_EXPONENT, _PSEUDO_DIFFERENT_WEIGHT)
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
