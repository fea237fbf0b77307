"""The probability of a match for every pair: a first score from the pair alone, then one with collective features."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from findmatches import plan
from findmatches.blocks.block import Block, routed
from findmatches.blocks.exchange import Exchange
from findmatches.classifier import PairClassifier, Probabilities, TrainingPairs, out_of_fold_probability, train
from findmatches.features import Matrix, feature_count, reciprocal, search_figures
from findmatches.first_cut import first_cut
from findmatches.labels import LabeledPairs
from findmatches.preparation import PreparedTable, mean_similarity
from findmatches.pseudo_labels import PseudoLabels, pseudo_labels
from findmatches.settings import Settings
from findmatches.stages.collective import UNIT
from findmatches.stages.search import home
from findmatches.unlabeled_share import log_odds_shift, transitivity

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
# Pseudo-labels are chosen among so many pairs. Of more than the third number of candidates, only those are compared value
# by value that a first cut keeps, learned from a smaller sample; all in smaller tables, once for all scores of a table.
_SAMPLED_PAIRS = 40_000
_SAMPLED_BEFORE_CUT = 20_000
_MAX_COMPARED_PAIRS = 150_000
_MIN_TRANSITIVE_PROBABILITY = 0.4
# A record with more probable matches than this says little about whether those match each other.
_MAX_TRANSITIVE_MATCHES = 30
# Pairs with a lower first score are not scored again.
_MIN_RESCORED_PROBABILITY = 0.003
_TREES_OF_FIRST_SCORE = 30
_MAX_RECORDS_OF_RARE_VALUE = 3
_ROUNDING = 1e-5


@dataclass(frozen=True)
class PairScorer:
    """What was learned: the score of a pair alone, and the one that also knows the first scores of all other pairs.

    `shift` is added to the log odds when pairs are grouped; it is 0 if there were labels.
    """

    first: PairClassifier
    second: PairClassifier
    shift: float = 0.0


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

    def keys(self, records: int) -> Indices:
        """One number per pair."""
        keys: Indices = self.left * records + self.right
        return keys


@dataclass(frozen=True)
class ScoredPairs:
    """Distinct pairs of records (`left` <= `right`), sorted, with the probability that they match, 0..1; shape (pairs,) each.

    `labeled` and `held_out` are the places of those pairs among all. `out_of_fold`, per labeled pair, is the probability
    by classifiers that were not trained on its labeling set. `shares_rare_value`: which pairs have a value in common that
    hardly any other row has. `scorer` is None if there was nothing to learn from: all training pairs match, or none does.
    """

    left: Indices
    right: Indices
    probability: Probabilities
    shares_rare_value: NDArray[np.bool_]
    out_of_fold: Probabilities
    labeled: Indices
    held_out: Indices
    scorer: PairScorer | None
    evidence: Evidence


_NO_SCORES: Block = {"key": np.zeros(0, np.int64), "probability": np.zeros(0), "rare": np.zeros(0, np.bool_)}


def score(prepared: PreparedTable, labels: LabeledPairs, held_out: LabeledPairs, settings: Settings) -> ScoredPairs:
    """Learns from the labels and scores all candidate pairs, the labeled ones, and those of `held_out`.

    The outcomes of `held_out` are not used.
    """
    exchange, records = prepared.exchange, prepared.records
    labeled, tested = labels.left * records + labels.right, held_out.left * records + held_out.right
    examples = examples_of(prepared, np.append(labeled, tested))
    training, features, pseudo = _training_pairs(examples, labels, labeled, settings.seed)
    if training.match.all() or not training.match.any():
        out_of_fold = mean_similarity(features).astype(np.float64)
        evidence = _evidence(training, records, out_of_fold, len(labels))
        return _scored(_similarities(prepared, examples), evidence, records, tested=tested)
    first = train(features, training, settings.seed, trees=_TREES_OF_FIRST_SCORE)
    scores, improbable = _first_scores(exchange, examples, first, training.places)
    # Training pairs enter the collective features by their out-of-fold probability: by its own training data the first
    # classifier would look perfect there, and nowhere else.
    out_of_fold = out_of_fold_probability(features, training, settings.seed)
    scores = _with(scores, {"key": training.places, "probability": out_of_fold})
    collective = _related(exchange, scores, training.places)
    second = train(np.concatenate([features, collective], axis=1), training, settings.seed)
    scores = _with(scores, _second_scores(exchange, second))
    evidence = _evidence(training, records, out_of_fold, len(labels))
    scores = _joined(scores, improbable)
    shift = 0.0 if len(labels) or not examples.complete else _shift(examples, scores, pseudo)
    return _scored(scores, evidence, records, tested=tested, scorer=PairScorer(first, second, shift))


def score_with(prepared: PreparedTable, scorer: PairScorer | None, evidence: Evidence) -> ScoredPairs:
    """Scores all candidate pairs and those of the evidence by what was learned before."""
    exchange, records = prepared.exchange, prepared.records
    known = evidence.keys(records)
    examples = examples_of(prepared, known)
    if scorer is None:
        return _scored(_similarities(prepared, examples), evidence, records)
    scores, improbable = _first_scores(exchange, examples, scorer.first, known)
    scores = _with(scores, {"key": known, "probability": evidence.out_of_fold})
    _related(exchange, scores, known)
    scores = _with(scores, _second_scores(exchange, scorer.second))
    return _scored(_joined(scores, improbable), evidence, records, scorer=scorer)


@dataclass(frozen=True)
class Examples:
    """Pairs with their features: a sample of the `candidates`, and all that are labeled, held out or of identical rows.

    `keys`, sorted: left * records + right; `features` has shape (pairs, width); `sampled` are the candidates among them.
    `complete`: whether all candidates were compared value by value, else only these.
    """

    keys: Indices
    features: Matrix
    sampled: NDArray[np.bool_]
    records: int
    complete: bool


def examples_of(prepared: PreparedTable, wanted: Indices) -> Examples:
    """Compares the examples; `wanted` are the keys of pairs that must be scored, whether candidates or not."""
    exchange, records = prepared.exchange, prepared.records
    exchange.drop("more pairs", "chosen", "features", "new features", "first score", "collective")
    candidates = prepared.left * records + prepared.right
    # Identical rows are a pair like any other: of a record with itself.
    kept = np.unique(np.append(wanted, prepared.repeated * (records + 1)))
    rows = max(exchange.facts["rows"], _MAX_RECORDS_OF_RARE_VALUE)
    complete = len(candidates) <= _MAX_COMPARED_PAIRS
    exchange.publish(
        **{
            "kept keys": kept,
            "rare from": np.log(rows / _MAX_RECORDS_OF_RARE_VALUE) / np.log(rows) - _ROUNDING,
            "sampled share": min(1.0, (_SAMPLED_PAIRS if complete else _SAMPLED_BEFORE_CUT) / max(1, len(candidates))),
            "min rescored": _MIN_RESCORED_PROBABILITY,
        }
    )
    if not complete:
        exchange.run(*plan.COMPARE_SAMPLE, *plan.SHOW_FEATURES)
        exchange.drop("new features")
    elif not exchange.facts.get("compared"):
        # Once per table: later scores of it use the same features.
        exchange.run(*plan.COMPARE_ALL)
        exchange.rename("new features", "candidate features")
        exchange.publish(compared=True)
    _send_pairs(exchange, np.setdiff1d(kept, candidates, assume_unique=True), records)
    exchange.run(*plan.COMPARE_MORE, *plan.SHOW_FEATURES)
    blocks = exchange.received("shown")
    keys = np.concatenate([np.zeros(0, np.int64), *(block["left"] * records + block["right"] for block in blocks)])
    order = np.argsort(keys)
    keys = keys[order]
    nothing = np.zeros((0, feature_count(len(prepared.kinds))), np.float32)
    features = np.concatenate([nothing, *(block["features"] for block in blocks)])[order]
    return Examples(keys, features, np.isin(keys, candidates, assume_unique=True), records, complete)


def _send_pairs(exchange: Exchange, keys: Indices, records: int) -> bool:
    """Hands in pairs that the search did not propose, and ranks them; whether there are any."""
    if not len(keys):
        return False
    left, right = keys // records, keys % records
    exchange.send(routed(home(left, right, exchange.facts), "searched", {"left": left, "right": right}, exchange.parts))
    exchange.run(*plan.ADD_PAIRS)
    exchange.received("more pairs")
    return True


def _shift(examples: Examples, scores: Block, pseudo: PseudoLabels) -> float:
    """How far the log odds of unlabeled pairs are too low."""
    between = examples.sampled
    keys, similar = examples.keys[between], mean_similarity(examples.features[between]) >= pseudo.threshold
    transitive = transitivity(keys // examples.records, keys % examples.records, similar, examples.records)
    is_pair = scores["key"] // examples.records != scores["key"] % examples.records
    return log_odds_shift(scores["probability"][is_pair], pseudo.match_share, transitive)


def _training_pairs(
    examples: Examples, labels: LabeledPairs, labeled: Indices, seed: int
) -> tuple[TrainingPairs, Matrix, PseudoLabels]:
    """The labeled pairs by their keys, and after them pseudo-labeled ones with little weight; and the features of all."""
    sample = np.flatnonzero(examples.sampled)
    pseudo = pseudo_labels(examples.features[sample], seed)
    # Labels of pairs that would be pseudo-matches show how far these can be trusted.
    own = examples.features[np.searchsorted(examples.keys, labeled)]
    alike = reciprocal(own) & (mean_similarity(own) >= pseudo.threshold)
    agreeing = (_PRIOR_AGREEING_LABELS + labels.match[alike].sum()) / (_PRIOR_AGREEING_LABELS + alike.sum())
    weight = np.ones(len(labels) + len(pseudo))
    different_per_match = (1 - pseudo.match_share) / max(pseudo.match_share, 1e-9)
    different = min(_MAX_PSEUDO_DIFFERENT_WEIGHT, _PSEUDO_MATCHES_WEIGHT * different_per_match)
    total = np.where(pseudo.match, _PSEUDO_MATCHES_WEIGHT * agreeing**_TRUST_EXPONENT, different)
    weight[len(labels) :] = total / np.maximum(np.where(pseudo.match, pseudo.match.sum(), (~pseudo.match).sum()), 1)
    fold = np.concatenate([labels.fold, np.arange(len(pseudo))])
    match = np.concatenate([labels.match, pseudo.match])
    places = sample[pseudo.places]
    training = TrainingPairs(np.append(labeled, examples.keys[places]), match, weight, fold)
    return training, np.concatenate([own, examples.features[places]]), pseudo


def _similarities(prepared: PreparedTable, examples: Examples) -> Block:
    """Scores where there is nothing to learn from: pairs are as probable as they are similar."""
    keys = np.append(examples.keys, prepared.left * prepared.records + prepared.right)
    probability = np.append(mean_similarity(examples.features), prepared.similarity).astype(np.float64)
    keys, place = np.unique(keys, return_index=True)  # the first of equal keys: examples know more than the search
    return {"key": keys, "probability": probability[place], "rare": np.zeros(len(keys), np.bool_)}


def _first_scores(exchange: Exchange, examples: Examples, first: PairClassifier, trained: Indices) -> tuple[Block, Block]:
    """The first scores of all pairs compared, transitive ones among them, and the foreseen ones of those not compared."""
    exchange.publish(**{"first classifier": first, "kept keys": np.union1d(exchange.facts["kept keys"], trained)})
    improbable = _NO_SCORES if examples.complete else _cut(exchange, examples, first)
    exchange.run(*plan.SCORE_CANDIDATES)
    scores = _scores_of_new(exchange)
    known = np.concatenate([scores["key"], improbable["key"]])
    if _send_pairs(exchange, _transitive_pairs(known, scores, examples.records), examples.records):
        exchange.run(*plan.COMPARE_MORE)
        scores = _joined(scores, _scores_of_new(exchange))
    return scores, improbable


def _cut(exchange: Exchange, examples: Examples, first: PairClassifier) -> Block:
    """Compares the candidates that the first cut keeps; the scores of the others."""
    sampled = examples.features[examples.sampled]
    exchange.publish(**{"first cut": first_cut(search_figures(sampled), first.probability(sampled))})
    exchange.run(*plan.COMPARE_PROBABLE)
    blocks = exchange.received("improbable")
    scores = {name: np.concatenate([_NO_SCORES[name], *(block[name] for block in blocks)]) for name in ("key", "probability")}
    return {**scores, "rare": np.zeros(len(scores["key"]), np.bool_)}


def _scores_of_new(exchange: Exchange) -> Block:
    """Scores the pairs that have been compared but not scored yet."""
    exchange.run(*plan.SCORE_NEW)
    exchange.rename("new features", "features")
    return _sorted_scores(exchange.received("first score"), ("key", "probability", "rare"))


def _related(exchange: Exchange, scores: Block, trained: Indices) -> Matrix:
    """Relates all pairs by their first scores; the collective features of the training pairs, shape (pairs, width)."""
    keys = np.unique(trained)
    units = np.rint(scores["probability"] * UNIT).sum()
    exchange.publish(
        **{
            "mean": float(units / UNIT / max(1, len(scores["key"]))),
            "training keys": keys,
            "training probability": scores["probability"][np.searchsorted(scores["key"], keys)],
        }
    )
    exchange.run(*plan.RELATE)
    related = exchange.received("collective")
    if not related:
        return np.zeros((0, 0), np.float32)
    of_keys = np.concatenate([block["key"] for block in related])
    order = np.argsort(of_keys)
    places = order[np.searchsorted(of_keys[order], trained)]
    features: Matrix = np.concatenate([block["features"] for block in related])[places]
    return features


def _second_scores(exchange: Exchange, second: PairClassifier) -> Block:
    """The second scores of all pairs that are not hopeless."""
    exchange.publish(**{"second classifier": second})
    exchange.run(*plan.SCORE_AGAIN)
    return _sorted_scores(exchange.received("second score"), ("key", "probability"))


def _sorted_scores(blocks: list[Block], names: tuple[str, ...]) -> Block:
    scores = {name: np.concatenate([_NO_SCORES[name], *(block[name] for block in blocks)]) for name in names}
    order = np.argsort(scores["key"])
    return {name: array[order] for name, array in scores.items()}


def _with(scores: Block, better: Block) -> Block:
    """The scores, sorted, with some probabilities replaced; of repeated pairs the last one counts."""
    order = np.argsort(scores["key"])
    sorted_scores = {name: array[order] for name, array in scores.items()}
    sorted_scores["probability"][np.searchsorted(sorted_scores["key"], better["key"])] = better["probability"]
    return sorted_scores


def _joined(scores: Block, more: Block) -> Block:
    return {name: np.append(scores[name], more[name]) for name in scores}


def _evidence(training: TrainingPairs, records: int, out_of_fold: Probabilities, labeled: int) -> Evidence:
    return Evidence(training.places // records, training.places % records, training.match, out_of_fold, labeled)


def _scored(
    scores: Block,
    evidence: Evidence,
    records: int,
    *,
    tested: Indices | None = None,
    scorer: PairScorer | None = None,
) -> ScoredPairs:
    order = np.argsort(scores["key"])
    keys = scores["key"][order]
    return ScoredPairs(
        keys // records,
        keys % records,
        scores["probability"][order],
        scores["rare"][order],
        evidence.out_of_fold[: evidence.labeled],
        np.searchsorted(keys, evidence.keys(records)[: evidence.labeled]),
        np.searchsorted(keys, np.zeros(0, np.int64) if tested is None else tested),
        scorer,
        evidence,
    )


def _transitive_pairs(known: Indices, scores: Block, records: int) -> Indices:
    """Keys of new pairs whose records both probably match the same third record."""
    # Paths of length two are the square of the adjacency matrix.
    left, right = scores["key"] // records, scores["key"] % records
    probable = (scores["probability"] >= _MIN_TRANSITIVE_PROBABILITY) & (left != right)
    left, right = left[probable], right[probable]
    ends = (np.append(left, right), np.append(right, left))
    links = sparse.csr_matrix((np.ones(len(ends[0]), np.float32), ends), shape=(records, records))
    middle = links[np.flatnonzero(np.diff(links.indptr) <= _MAX_TRANSITIVE_MATCHES)]
    shared = sparse.triu(middle.T.tocsr() @ middle, k=1).tocoo()
    keys = np.unique(shared.row.astype(np.int64) * records + shared.col)
    return np.setdiff1d(keys, known, assume_unique=True)
