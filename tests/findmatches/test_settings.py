"""Glue's three tuning parameters, each with the effect that its documentation promises; and incremental matching."""

import numpy as np
import pytest

from bench.matching.tables import load
from findmatches import Label, Settings, Table, find_matches
from findmatches.preparation import prepare
from tests.findmatches.synthetic_people import LabeledTable, precision_and_recall, synthetic_people


@pytest.fixture(scope="module")
def ambiguous() -> LabeledTable:
    """People known by name and town only: many share both, so precision and recall pull apart."""
    people = synthetic_people(200, seed=5)
    columns = {name: people.table.columns[name] for name in ("id", "first_name", "last_name", "town")}
    return LabeledTable(Table(columns, "id"), people.truth)


def test_precision_recall_tradeoff_favors_precision_or_recall(ambiguous: LabeledTable) -> None:
    labels = ambiguous.labeled(runs=2)
    results = [
        precision_and_recall(find_matches(ambiguous.table, labels, Settings(precision_recall=tradeoff)), ambiguous.truth)
        for tradeoff in (0.0, 0.5, 1.0)
    ]
    precisions, recalls = zip(*results, strict=True)
    assert list(precisions) == sorted(precisions)
    assert list(recalls) == sorted(recalls, reverse=True)
    assert precisions[0] < precisions[2]
    assert recalls[0] > recalls[2]


def test_accuracy_cost_tradeoff_compares_more_pairs() -> None:
    table = synthetic_people(200, seed=3).table
    candidates = []
    for tradeoff in (0.0, 0.5, 1.0):
        prepared = prepare(table, Settings(accuracy_cost=tradeoff))
        assert prepared
        candidates.append(len(prepared.left))
    assert candidates[0] < candidates[1] < candidates[2]


@pytest.mark.parametrize("has_labels", [False, True])
def test_the_neighbors_of_a_row_never_fall_with_accuracy_nor_rise_with_the_table(*, has_labels: bool) -> None:
    tradeoffs, sizes = (0.0, 0.25, 0.5, 0.75, 1.0), (10, 2_000, 3_000, 8_000, 100_000)
    neighbors = [
        [Settings(accuracy_cost=tradeoff).neighbors_per_row(rows, has_labels=has_labels) for tradeoff in tradeoffs]
        for rows in sizes
    ]
    assert all(row == sorted(row) for row in neighbors)
    assert all(list(column) == sorted(column, reverse=True) for column in zip(*neighbors, strict=True))
    assert neighbors[-1] == [5, 7, 10, 14, 20]


def test_labels_find_matches_that_ten_neighbors_miss() -> None:
    labeled = load("organizations:1000")
    shares = []
    for has_labels in (False, True):
        prepared = prepare(labeled.table, Settings(), has_labels=has_labels)
        assert prepared
        truth = np.array(labeled.truth)[prepared.first_row]
        shares.append(int((truth[prepared.left] == truth[prepared.right]).sum()))
    assert shares[1] > 1.3 * shares[0]


def _labels_with_two_mistakes(people: LabeledTable) -> list[Label]:
    """After two correct runs: two records of one person labeled as different, and two unrelated people as the same."""
    truth, keys = people.truth, people.table.keys
    first = next(row for row in range(len(truth)) if truth.count(truth[row]) == 2)
    second = truth.index(truth[first], first + 1)
    unrelated = next(row for row in range(len(truth)) if truth.count(truth[row]) == 1)
    mistakes = [("x", "a", first), ("x", "b", second), ("y", "a", first), ("y", "a", unrelated)]
    return [*people.labeled(runs=2), *(Label(name, label, str(keys[row])) for name, label, row in mistakes)]


def test_the_output_agrees_with_enforced_labels(people: LabeledTable) -> None:
    labels = _labels_with_two_mistakes(people)
    ids = dict(zip(people.table.keys, find_matches(people.table, labels, Settings(enforce_labels=True)), strict=True))
    by_set: dict[str, list[Label]] = {}
    for label in labels:
        by_set.setdefault(label.set_id, []).append(label)
    latest = {}
    for members in by_set.values():
        for left in members:
            for right in members:
                if left.key < right.key:
                    latest[left.key, right.key] = left.label == right.label
    assert all((ids[left] == ids[right]) == match for (left, right), match in latest.items())


def test_labels_that_are_not_enforced_may_be_overruled(people: LabeledTable) -> None:
    labels = _labels_with_two_mistakes(people)
    first, unrelated = labels[-2].key, labels[-1].key
    ids = dict(zip(people.table.keys, find_matches(people.table, labels, Settings()), strict=True))
    enforced = dict(zip(people.table.keys, find_matches(people.table, labels, Settings(enforce_labels=True)), strict=True))
    assert enforced[first] == enforced[unrelated]
    assert ids[first] != ids[unrelated], "two people who share nothing but a wrong label"


def test_identical_rows_are_separated_only_by_enforced_labels() -> None:
    names = ["ann", "ann", "bob", "carl"]
    table = Table({"id": ["1", "2", "3", "4"], "name": names}, "id")
    labels = [Label("s", "a", "1"), Label("s", "b", "2")]
    not_enforced = find_matches(table, labels, Settings())
    enforced = find_matches(table, labels, Settings(enforce_labels=True))
    assert not_enforced[0] == not_enforced[1]
    assert enforced[0] != enforced[1]


def test_known_ids_stay_and_new_rows_join_them(people: LabeledTable) -> None:
    labels = people.labeled(runs=2)
    match_ids = find_matches(people.table, labels, Settings())
    known = [f"m{name}" if row % 3 else None for row, name in enumerate(match_ids)]
    ids = find_matches(people.table, labels, Settings(), known=known)
    assert all(before in (None, after) for before, after in zip(known, ids, strict=True))
    joined = [row for row, before in enumerate(known) if before is None and f"m{match_ids[row]}" in known]
    correct = sum(ids[row] == f"m{match_ids[row]}" for row in joined)
    assert joined
    assert correct >= 0.95 * len(joined)


def test_rows_with_different_known_ids_never_match() -> None:
    table = Table({"id": list("123456"), "name": ["ann", "ann", "ann", "bob", "bob", "bob x"]}, "id")
    ids = find_matches(table, [], Settings(), known=["0", "1", None, "0", None, None])
    assert ids[0] == ids[3] == "0"
    assert ids[1] == "1"
    assert ids[2] in {"0", "1"}
    assert ids[4] == "0"


def test_new_ids_differ_from_known_ones() -> None:
    table = Table({"id": list("123"), "name": ["alpha", "beta", "gamma"]}, "id")
    assert len(set(find_matches(table, [], Settings(), known=["1", None, None]))) == 3
