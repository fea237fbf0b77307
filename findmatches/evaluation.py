"""How good the transform is, measured on labels that it did not learn from."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from findmatches.classifier import Model
from findmatches.collective_features import owners
from findmatches.labels import LabeledPairs
from findmatches.pipeline import Prepared, record_pairs
from findmatches.scoring import score
from findmatches.settings import Settings

_TEST_SHARE = 0.3


class NotEnoughLabels(Exception):
    """Evaluation is impossible; the message says what is missing."""


@dataclass(frozen=True)
class Evaluation:
    """Over pairs of held-out labels, at the threshold of the largest F1; column importances sum to 1, largest first."""

    area_under_pr_curve: float
    precision: float
    recall: float
    f1: float
    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int
    column_importances: tuple[tuple[str, float], ...]


def evaluation(prepared: Prepared | None, labeled: LabeledPairs, settings: Settings) -> Evaluation:
    """Raises NotEnoughLabels when there is nothing to learn from or nothing to test on."""
    if prepared is None:
        raise NotEnoughLabels("The table's rows do not differ, so there is nothing to evaluate.")
    pairs = record_pairs(prepared, labeled)
    sets = np.unique(pairs.fold)
    if len(sets) < 2:  # noqa: PLR2004 - one to learn, one to test
        raise NotEnoughLabels(f"Evaluation needs at least 2 labeling sets with two differing rows each; there are {len(sets)}.")
    learn, test = _split(pairs, sets, settings.seed)
    scored = score(prepared, learn, test, settings)
    likely = scored.likely[scored.also]
    threshold = _largest_f1(likely, test.match)
    said = likely >= threshold
    tp, fp = int((said & test.match).sum()), int((said & ~test.match).sum())
    fn, tn = int((~said & test.match).sum()), int((~said & ~test.match).sum())
    return Evaluation(
        area_under_pr_curve=area_under_pr_curve(likely, test.match),
        precision=tp / max(tp + fp, 1),
        recall=tp / max(tp + fn, 1),
        f1=2 * tp / max(2 * tp + fp + fn, 1),
        true_positives=tp,
        false_positives=fp,
        false_negatives=fn,
        true_negatives=tn,
        column_importances=_importances(prepared, scored.model),
    )


def _importances(prepared: Prepared, model: Model | None) -> tuple[tuple[str, float], ...]:
    """How much each compared column's features reduce the trees' impurity; equal without a model."""
    names = [column.name for column in prepared.comparison.columns]
    total = dict.fromkeys(names, 0.0)
    if model:
        owner_of = prepared.comparison.owners + owners(prepared.comparison.columns)
        for owner, gain in zip(owner_of, model.trees.feature_importances_.tolist(), strict=True):
            if owner is not None:
                total[owner] += gain
    whole = sum(total.values())
    shares = {name: gain / whole if whole else 1 / len(names) for name, gain in total.items()}
    return tuple(sorted(shares.items(), key=lambda share: -share[1]))


def _split(pairs: LabeledPairs, sets: NDArray[np.int64], seed: int) -> tuple[LabeledPairs, LabeledPairs]:
    """Whole sets go to either side; the first shuffle in which both sides have both outcomes is taken."""
    for attempt in range(50):
        order = np.random.default_rng([seed, attempt]).permutation(sets)
        held_out = np.isin(pairs.fold, order[: max(1, round(_TEST_SHARE * len(sets)))])
        learn, test = pairs.where(~held_out), pairs.where(held_out)
        if all(part.match.any() and not part.match.all() for part in (learn, test)):
            return learn, test
    missing = "matching" if not pairs.match.any() else "different" if pairs.match.all() else "matching and different"
    raise NotEnoughLabels(f"Evaluation needs {missing} pairs both in the labeling sets to learn from and in those to test on.")


def area_under_pr_curve(likely: NDArray[np.float64], match: NDArray[np.bool_]) -> float:
    # Summing the steps may round to 1.0000000000000002, which no reader of a share expects.
    return min(1.0, max(0.0, float(average_precision_score(match, likely))))


def _largest_f1(likely: NDArray[np.float64], match: NDArray[np.bool_]) -> float:
    order = np.argsort(-likely, kind="stable")
    hits = np.cumsum(match[order])
    f1 = 2 * hits / (np.arange(1, len(order) + 1) + match.sum())
    last_of_ties = np.append(likely[order][1:] != likely[order][:-1], True)
    return float(likely[order][int(np.argmax(np.where(last_of_ties, f1, 0)))])
