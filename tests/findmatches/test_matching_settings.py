"""The three tuning parameters of Glue, each by the effect its documentation promises; and incremental matching."""

import pytest

from findmatches.matcher import Label, Settings, Table, find_matches
from findmatches.pipeline import prepare
from tests.findmatches.records import Known, made_up_people, precision_and_recall


@pytest.fixture(scope="module")
def ambiguous() -> Known:
    """People known by name and town only: many share both, so precision and recall pull apart."""
    known = made_up_people(200, seed=5)
    columns = {name: known.table.columns[name] for name in ("id", "first_name", "last_name", "town")}
    return Known(Table(columns, "id"), known.truth)


def test_precision_recall_tradeoff_favors_what_it_says(ambiguous: Known) -> None:
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


def test_accuracy_cost_tradeoff_searches_more_pairs() -> None:
    table = made_up_people(200, seed=3).table
    searched = []
    for tradeoff in (0.0, 0.5, 1.0):
        prepared = prepare(table, Settings(accuracy_cost=tradeoff))
        assert prepared
        searched.append(len(prepared.near.left))
    assert searched[0] < searched[1] < searched[2]


def _wrong_labels(known: Known) -> list[Label]:
    """After two honest rounds: two records of one person told apart, and two strangers said to be the same."""
    truth, keys = known.truth, known.table.keys
    one = next(row for row in range(len(truth)) if truth.count(truth[row]) == 2)
    other = truth.index(truth[one], one + 1)
    stranger = next(row for row in range(len(truth)) if truth.count(truth[row]) == 1)
    wrong = [("x", "a", one), ("x", "b", other), ("y", "a", one), ("y", "a", stranger)]
    return [*known.labeled(runs=2), *(Label(name, label, str(keys[row])) for name, label, row in wrong)]


def test_enforced_labels_are_in_the_output(people: Known) -> None:
    labels = _wrong_labels(people)
    ids = dict(zip(people.table.keys, find_matches(people.table, labels, Settings(enforce_labels=True)), strict=True))
    by_set: dict[str, list[Label]] = {}
    for label in labels:
        by_set.setdefault(label.set_id, []).append(label)
    latest = {}
    for members in by_set.values():
        for one in members:
            for other in members:
                if one.key < other.key:
                    latest[one.key, other.key] = one.label == other.label
    assert all((ids[one] == ids[other]) == match for (one, other), match in latest.items())


def test_labels_that_are_not_enforced_may_be_overruled(people: Known) -> None:
    labels = _wrong_labels(people)
    one, stranger = labels[-2].key, labels[-1].key
    ids = dict(zip(people.table.keys, find_matches(people.table, labels, Settings()), strict=True))
    enforced = dict(zip(people.table.keys, find_matches(people.table, labels, Settings(enforce_labels=True)), strict=True))
    assert enforced[one] == enforced[stranger]
    assert ids[one] != ids[stranger], "two people who share nothing but a slip of the labeler"


def test_identical_rows_come_apart_only_when_labels_are_enforced() -> None:
    names = ["ann", "ann", "bob", "carl"]
    table = Table({"id": ["1", "2", "3", "4"], "name": names}, "id")
    labels = [Label("s", "a", "1"), Label("s", "b", "2")]
    free = find_matches(table, labels, Settings())
    enforced = find_matches(table, labels, Settings(enforce_labels=True))
    assert free[0] == free[1]
    assert enforced[0] != enforced[1]


def test_known_ids_stay_and_new_rows_join_them(people: Known) -> None:
    labels = people.labeled(runs=2)
    whole = find_matches(people.table, labels, Settings())
    known = [f"m{name}" if row % 3 else None for row, name in enumerate(whole)]
    ids = find_matches(people.table, labels, Settings(), known=known)
    assert all(before in (None, after) for before, after in zip(known, ids, strict=True))
    joined = [row for row, before in enumerate(known) if before is None and f"m{whole[row]}" in known]
    right = sum(ids[row] == f"m{whole[row]}" for row in joined)
    assert joined
    assert right >= 0.95 * len(joined)


def test_rows_with_different_known_ids_never_meet() -> None:
    table = Table({"id": list("123456"), "name": ["ann", "ann", "ann", "bob", "bob", "bob x"]}, "id")
    ids = find_matches(table, [], Settings(), known=["0", "1", None, "0", None, None])
    assert ids[0] == ids[3] == "0"
    assert ids[1] == "1"
    assert ids[2] in {"0", "1"}
    assert ids[4] == "0"


def test_new_ids_differ_from_known_ones() -> None:
    table = Table({"id": list("123"), "name": ["alpha", "beta", "gamma"]}, "id")
    assert len(set(find_matches(table, [], Settings(), known=["1", None, None]))) == 3
