"""Evaluation: precision and recall on labels that the classifier was not trained on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from findmatches import collective_features, features
from findmatches.labels import Label, LabeledPairs, labeled_pairs
from findmatches.matching import scored_groups
from findmatches.preparation import PreparedTable, prepare, record_pairs
from findmatches.runtime import DEFAULT_RUNTIME, Runtime
from findmatches.scoring import PairScorer, score
from findmatches.settings import Settings
from findmatches.table import Table

_TEST_SHARE = 0.3
_MAX_SPLITS_TRIED = 50


class NotEnoughLabels(Exception):
    """Evaluation is impossible; the message says what is missing."""


@dataclass(frozen=True)
class Evaluation:
    """Over the pairs of held-out labeling sets, as a matching with the other sets decides them; all but counts are 0..1.

    `column_importances`: name and share of each compared column, the largest first; they sum to 1.
    """

    area_under_pr_curve: float
    precision: float
    recall: float
    f1: float
    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int
    column_importances: tuple[tuple[str, float], ...]

    @property
    def tested_pairs(self) -> int:
        """How many held-out pairs the figures rest on."""
        return self.true_positives + self.false_positives + self.false_negatives + self.true_negatives


def evaluate(table: Table, labels: Sequence[Label], settings: Settings, *, runtime: Runtime = DEFAULT_RUNTIME) -> Evaluation:
    """Matches the table with 70 % of the labeling sets and tests on the pairs of the other 30 %.

    Raises NotEnoughLabels if either part lacks a matching or a different pair, InvalidTable if the table cannot be matched.
    """
    table.validate()
    table, _ = table.in_key_order()
    with runtime.exchange(len(table)) as exchange:
        return _evaluate(prepare(table, settings, exchange, has_labels=bool(labels)), table, labels, settings)


def _evaluate(prepared: PreparedTable | None, table: Table, labels: Sequence[Label], settings: Settings) -> Evaluation:
    if len(table) < 2:  # noqa: PLR2004 - a pair
        raise NotEnoughLabels(f"The table has {len(table)} rows; evaluation needs at least 2.")
    if prepared is None:
        raise NotEnoughLabels("The table's rows do not differ, so there is nothing to evaluate.")
    pairs = record_pairs(prepared, labeled_pairs(table, labels))
    sets = np.unique(pairs.fold)
    if len(sets) < 2:  # noqa: PLR2004 - one to train, one to test
        raise NotEnoughLabels(f"Evaluation needs at least 2 labeling sets with two differing rows each; there are {len(sets)}.")
    training, test = _split(pairs, sets, settings.seed)
    scored = score(prepared, training, test, settings)
    probability = scored.probability[scored.held_out]
    group = scored_groups(prepared, scored, training, settings)
    # A record with itself stands for its first two rows.
    second = np.where(test.left == test.right, prepared.second_row[test.left], prepared.first_row[test.right])
    predicted = group[prepared.first_row[test.left]] == group[second]
    tp, fp = int((predicted & test.match).sum()), int((predicted & ~test.match).sum())
    fn, tn = int((~predicted & test.match).sum()), int((~predicted & ~test.match).sum())
    return Evaluation(
        area_under_pr_curve=area_under_pr_curve(probability, test.match),
        precision=tp / max(tp + fp, 1),
        recall=tp / max(tp + fn, 1),
        f1=2 * tp / max(2 * tp + fp + fn, 1),
        true_positives=tp,
        false_positives=fp,
        false_negatives=fn,
        true_negatives=tn,
        column_importances=_column_importances(prepared, scored.scorer),
    )


def area_under_pr_curve(probability: NDArray[np.float64], match: NDArray[np.bool_]) -> float:
    """Average precision, 0..1, as scikit-learn defines it."""
    # The sum of its steps may round to 1.0000000000000002.
    return min(1.0, max(0.0, float(average_precision_score(match, probability))))


def _column_importances(prepared: PreparedTable, scorer: PairScorer | None) -> tuple[tuple[str, float], ...]:
    """How much each compared column's features reduce the trees' impurity (Breiman, "Random forests", 2001).

    Equal shares if nothing was learned.
    """
    columns = [kind.name for kind in prepared.kinds]
    total = dict.fromkeys(columns, 0.0)
    if scorer:
        names = features.column_of_feature(columns) + collective_features.column_of_feature(columns)
        for name, importance in zip(names, scorer.second.trees.feature_importances.tolist(), strict=True):
            if name is not None:
                total[name] += importance
    of_all = sum(total.values())
    shares = {name: importance / of_all if of_all else 1 / len(total) for name, importance in total.items()}
    return tuple(sorted(shares.items(), key=lambda share: -share[1]))


def _split(pairs: LabeledPairs, sets: NDArray[np.int64], seed: int) -> tuple[LabeledPairs, LabeledPairs]:
    """Whole sets go to either side; the first shuffle in which both sides have both outcomes is taken."""
    for attempt in range(_MAX_SPLITS_TRIED):
        order = np.random.default_rng([seed, attempt]).permutation(sets)
        held_out = np.isin(pairs.fold, order[: max(1, round(_TEST_SHARE * len(sets)))])
        training, test = pairs.where(~held_out), pairs.where(held_out)
        if all(part.match.any() and not part.match.all() for part in (training, test)):
            return training, test
    missing = "matching" if not pairs.match.any() else "different" if pairs.match.all() else "matching and different"
    raise NotEnoughLabels(f"Evaluation needs {missing} pairs both in the labeling sets to learn from and in those to test on.")
