"""The figures of an evaluation are what their names say."""

import numpy as np
from sklearn.metrics import average_precision_score

from findmatches import Settings, Table, evaluate
from findmatches.evaluation import area_under_pr_curve
from tests.findmatches.synthetic_people import LabeledTable, synthetic_people


def test_area_under_pr_curve_is_never_above_one() -> None:
    match = np.arange(11) < 9
    probability = -np.arange(11.0)
    assert average_precision_score(match, probability) > 1, "otherwise nothing here needs clipping"
    assert area_under_pr_curve(probability, match) == 1


def test_area_under_pr_curve_is_average_precision() -> None:
    probability = np.array([0.9, 0.8, 0.7, 0.6])
    assert area_under_pr_curve(probability, np.array([True, False, True, False])) == (1 / 1 + 2 / 3) / 2


def test_precision_and_recall_are_those_of_the_matching_itself() -> None:
    # Many of these people share name and town: the setting decides which pairs match, and the evaluation follows it.
    people = synthetic_people(200, seed=5)
    columns = {name: people.table.columns[name] for name in ("id", "first_name", "last_name", "town")}
    ambiguous = LabeledTable(Table(columns, "id"), people.truth)
    labels = ambiguous.labeled(runs=2)
    recall, balanced, precision = (
        evaluate(ambiguous.table, labels, Settings(precision_recall=tradeoff)) for tradeoff in (0.0, 0.5, 1.0)
    )
    assert recall.precision <= balanced.precision <= precision.precision
    assert recall.recall >= balanced.recall >= precision.recall
    assert recall.recall > precision.recall
    assert balanced.f1 < 1, "the matching is not perfect on this table"


def test_an_evaluation_says_how_many_pairs_it_rests_on(people: LabeledTable) -> None:
    evaluation = evaluate(people.table, people.labeled(runs=1), Settings())
    counts = (evaluation.true_positives, evaluation.false_positives, evaluation.false_negatives, evaluation.true_negatives)
    assert evaluation.tested_pairs == sum(counts)
    assert 100 <= evaluation.tested_pairs <= 3 * 45
