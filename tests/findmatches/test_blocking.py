"""How many candidate pairs a table gets."""

import pytest

from findmatches import Settings, blocking
from findmatches.preparation import prepare
from tests.findmatches.synthetic_people import LabeledTable


def test_large_tables_compare_fewer_pairs_per_row(people: LabeledTable, monkeypatch: pytest.MonkeyPatch) -> None:
    small = prepare(people.table, Settings())
    monkeypatch.setattr(blocking, "_FOUR_GRAMS_FROM_RECORDS", 50)
    large = [prepare(people.table, Settings(accuracy_cost=tradeoff)) for tradeoff in (0.0, 0.5, 1.0)]
    assert small
    assert small.neighbors_per_row == 10
    assert [prepared and prepared.neighbors_per_row for prepared in large] == [2, 4, 8]
    assert large[1]
    assert len(large[1].left) < len(small.left)
