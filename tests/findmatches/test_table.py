"""Tables that cannot be matched are refused by row and column; the order of rows changes nothing."""

from collections.abc import Sequence
from random import Random

import numpy as np
import pytest

from findmatches import InvalidTable, NotEnoughLabels, Settings, Table, evaluate, find_matches, propose_labeling_sets
from findmatches.matching import match_ids
from tests.findmatches.synthetic_people import LabeledTable

NAMES: list[str | None] = ["ann", "ann b", "carl"]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"key": ["1", "2", "3"], "name": NAMES}, "no column id"),
        ({"id": ["1", None, "3"], "name": NAMES}, "Row 2, column id: the primary key is blank"),
        ({"id": ["1", "2", " "], "name": NAMES}, "Row 3, column id: the primary key is blank"),
        ({"id": ["1", "2", "1"], "name": NAMES}, "Row 3, column id: the primary key 1 is already that of row 1"),
        ({"id": ["1", "2", "3"], "name": NAMES[:2]}, "Column name has 2 rows, but id has 3"),
        ({"id": ["1", "2", "3"], **{f"c{number}": NAMES for number in range(100)}}, "101 columns; at most 100"),
        ({"id": ["1", "2", "3"], "name": ["ann", "x" * 10_000_000, "carl"]}, "Row 2, column name: the cell has 10,000,000"),
        (
            {"id": ["1", "2", "3"], "name": ["ann", b"ann", "carl"]},
            "Row 2, column name: the cell is no text, but bytes; decode",
        ),
        ({"id": ["1", "2", "3"], "name": ["ann", 7, "carl"]}, "Row 2, column name: the cell is no text, but a number"),
        ({"id": ["1", "2", "3"], "name": ["ann", ["ann"], "carl"]}, "Row 2, column name: the cell is no text, but a value"),
        ({"id": ["1", b"2", "3"], "name": NAMES}, "Row 2, column id: the cell is no text, but bytes"),
        ({"id": ["1", "2", "3"], "name": "abc"}, "Column name: its cells are no list, but one text"),
        ({"id": ["1", "2", "3"], "name": None}, "Column name: its cells are no list, but missing"),
        ({"id": ["1", "2", "3"], 5: NAMES}, "Column 2: its name is no text, but a number"),
        (
            {"id": ["1", "k" * 5000, "k" * 5000], "name": NAMES},
            r"Row 3, column id: the primary key k{80}\.\.\. is already that of row 2",
        ),
    ],
)
def test_an_unusable_table_is_refused_by_name(columns: dict[str, Sequence[str | None]], message: str) -> None:
    table = Table(columns, "id")
    for operation in (find_matches, propose_labeling_sets, evaluate):
        with pytest.raises(InvalidTable, match=message):
            operation(table, [], Settings())


@pytest.mark.parametrize("rows", [0, 1])
def test_a_table_of_fewer_than_two_rows_has_nothing_to_match(rows: int) -> None:
    table = Table({"id": ["a"][:rows], "name": ["ann"][:rows]}, "id")
    assert len(set(find_matches(table, [], Settings()))) == rows
    assert propose_labeling_sets(table, [], Settings()) == []
    with pytest.raises(NotEnoughLabels, match=f"The table has {rows} rows; evaluation needs at least 2"):
        evaluate(table, [], Settings())


@pytest.mark.parametrize(
    ("known", "message"),
    [
        ([1, None, None], "Row 1: its known match id is no text"),
        ({"1": "a", "2": None, "3": None}, "The known match ids are a mapping; pass one id, or None, per row"),
    ],
)
def test_known_ids_must_be_texts_in_the_order_of_the_rows(known: Sequence[str | None], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        find_matches(Table({"id": ["1", "2", "3"], "name": NAMES}, "id"), [], Settings(), known=known)


@pytest.mark.parametrize("value", [-0.1, 1.5, float("nan"), "high", True])
def test_a_tradeoff_outside_its_range_is_refused_by_name(value: float) -> None:
    with pytest.raises(ValueError, match="precision_recall must be a number between 0 and 1"):
        Settings(precision_recall=value)
    with pytest.raises(ValueError, match="accuracy_cost must be a number between 0 and 1"):
        Settings(accuracy_cost=value)


def test_known_ids_must_be_one_per_row() -> None:
    with pytest.raises(ValueError, match="2 known match ids for 3 rows"):
        find_matches(Table({"id": ["1", "2", "3"], "name": NAMES}, "id"), [], Settings(), known=["a", None])


def test_row_order_changes_neither_ids_nor_sets(people: LabeledTable) -> None:
    order = Random(0).sample(range(len(people.truth)), len(people.truth))  # noqa: S311 - a shuffle
    shuffled = Table({name: [cells[row] for row in order] for name, cells in people.table.columns.items()}, "id")
    labels = people.labeled(runs=1)
    ids, shuffled_ids = (find_matches(table, labels, Settings()) for table in (people.table, shuffled))
    assert [ids[row] for row in order] == shuffled_ids
    sets, shuffled_sets = (propose_labeling_sets(table, labels, Settings()) for table in (people.table, shuffled))
    assert [[order[row] for row in members] for members in shuffled_sets] == sets


def test_a_new_id_depends_on_its_own_rows_only(people: LabeledTable) -> None:
    ids = dict(zip(people.table.keys, find_matches(people.table, [], Settings()), strict=True))
    few = Table({name: cells[:40] for name, cells in people.table.columns.items()}, "id")
    ids_of_few = dict(zip(few.keys, find_matches(few, [], Settings()), strict=True))
    alone = [
        key
        for key in few.keys
        if list(ids.values()).count(ids[key]) == 1 and list(ids_of_few.values()).count(ids_of_few[key]) == 1
    ]
    assert alone
    assert all(ids[key] == ids_of_few[key] for key in alone)


def test_a_new_id_is_none_of_the_known_ones() -> None:
    (derived,) = match_ids(np.array([0]), ["a"], None)
    first, second = match_ids(np.array([0, 1]), ["a", "b"], [None, derived])
    assert second == derived
    assert first != derived
