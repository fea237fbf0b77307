"""The labeling loop as a user sees it: sets to label, labels, better matches."""

import pytest

from findmatches import (
    Label,
    NotEnoughLabels,
    Settings,
    Table,
    evaluate,
    find_matches,
    propose_labeling_sets,
)
from tests.findmatches.synthetic_people import LabeledTable, precision_and_recall


def test_first_sets_need_no_labels_and_contain_matches(people: LabeledTable) -> None:
    sets = propose_labeling_sets(people.table, [], Settings())
    assert len(sets) == 10
    rows = [row for members in sets for row in members]
    assert len(set(rows)) == len(rows), "a row is shown once in a run"
    assert all(2 <= len(members) <= 10 for members in sets)
    matches = sum(
        people.truth[left] == people.truth[right] for members in sets for left in members for right in members if left < right
    )
    assert matches >= 10, "random sets of ten would contain none"


def test_two_runs_of_labels_find_the_true_groups(people: LabeledTable) -> None:
    labels = people.labeled(runs=2)
    precision, recall = precision_and_recall(find_matches(people.table, labels, Settings()), people.truth)
    assert precision >= 0.97
    assert recall >= 0.97


def test_an_answered_set_is_never_proposed_again(people: LabeledTable) -> None:
    first = propose_labeling_sets(people.table, [], Settings())
    second = propose_labeling_sets(people.table, people.answer(first), Settings())
    assert not {frozenset(members) for members in first} & {frozenset(members) for members in second}


def test_the_same_seed_gives_the_same_output(people: LabeledTable) -> None:
    labels = people.labeled(runs=1)
    assert propose_labeling_sets(people.table, labels, Settings(seed=7)) == propose_labeling_sets(
        people.table, labels, Settings(seed=7)
    )
    assert find_matches(people.table, labels, Settings(seed=7)) == find_matches(people.table, labels, Settings(seed=7))


def test_number_and_size_of_sets_are_as_requested(people: LabeledTable) -> None:
    sets = propose_labeling_sets(people.table, [], Settings(), sets=3, rows_per_set=5)
    assert [len(members) for members in sets] == [5, 5, 5]


def test_evaluation_counts_the_held_out_pairs(people: LabeledTable) -> None:
    evaluation = evaluate(people.table, people.labeled(runs=2), Settings())
    tested = evaluation.true_positives + evaluation.false_positives + evaluation.false_negatives + evaluation.true_negatives
    assert 240 <= tested <= 6 * 45, "30 % of 20 sets, each with 45 pairs, a pair labeled twice counted once"
    assert evaluation.precision == pytest.approx(
        evaluation.true_positives / (evaluation.true_positives + evaluation.false_positives)
    )
    assert evaluation.recall == pytest.approx(
        evaluation.true_positives / (evaluation.true_positives + evaluation.false_negatives)
    )
    assert evaluation.f1 > 0.9
    assert 0.9 < evaluation.area_under_pr_curve <= 1


def test_column_importances_cover_the_columns_and_sum_to_one(people: LabeledTable) -> None:
    importances = evaluate(people.table, people.labeled(runs=2), Settings()).column_importances
    assert {name for name, _ in importances} == set(people.table.names) - {"id"}
    assert sum(share for _, share in importances) == pytest.approx(1)
    assert [share for _, share in importances] == sorted((share for _, share in importances), reverse=True)


@pytest.mark.parametrize("same", [True, False])
def test_evaluation_says_which_labels_are_missing(people: LabeledTable, *, same: bool) -> None:
    rows = range(20)
    labels = [Label(str(row // 2), "a" if same else str(row), str(people.table.keys[row])) for row in rows]
    with pytest.raises(NotEnoughLabels, match="different" if same else "matching"):
        evaluate(people.table, labels, Settings())


def test_evaluation_without_labels_is_refused(people: LabeledTable) -> None:
    with pytest.raises(NotEnoughLabels, match="2 labeling sets"):
        evaluate(people.table, [], Settings())


def test_labels_of_unknown_rows_are_ignored(people: LabeledTable) -> None:
    unknown = [Label("s", "a", "nobody"), Label("s", "a", "no one")]
    assert find_matches(people.table, unknown, Settings()) == find_matches(people.table, [], Settings())


def test_identical_rows_match_without_labels() -> None:
    table = Table({"id": ["1", "2", "3"], "name": ["same", "same", "same"]}, "id")
    assert len(set(find_matches(table, [], Settings()))) == 1
