"""Any table that Glue accepts gives output of the right shape."""

from collections.abc import Sequence
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from findmatches import Label, NotEnoughLabels, Settings, Table, evaluate, find_matches, propose_labeling_sets

CELLS = st.one_of(
    st.none(),
    st.sampled_from(["", " ", "same", "same", "12.50", "$1,299.00", "0042", "2001-02-30", "19991231", "-", "a b c", "É&amp;"]),
    st.text(max_size=30),
    st.integers().map(str),
    st.dates().map(str),
)


def tables() -> st.SearchStrategy[Table]:
    def build(shape: tuple[int, int]) -> st.SearchStrategy[Table]:
        rows, columns = shape
        row = st.lists(CELLS, min_size=columns, max_size=columns)
        return st.lists(row, min_size=rows, max_size=rows).map(table_of)

    return st.tuples(st.integers(0, 25), st.integers(1, 6)).flatmap(build)


def table_of(rows: Sequence[Sequence[str | None]]) -> Table:
    width = len(rows[0]) if rows else 1
    columns: dict[str, Sequence[str | None]] = {"id": [f"k{number}" for number in range(len(rows))]}
    columns |= {f"c{place}": [row[place] for row in rows] for place in range(width)}
    return Table(columns, "id")


def check_output(table: Table, labels: Sequence[Label] = ()) -> None:
    sets = propose_labeling_sets(table, labels, Settings())
    for members in sets:
        assert 2 <= len(members) <= 10
        assert len(set(members)) == len(members)
        assert all(0 <= row < len(table) for row in members)
    for enforce in (False, True):
        ids = find_matches(table, labels, Settings(enforce_labels=enforce))
        assert len(ids) == len(table)
        assert all(ids)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables(), st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 24)), max_size=30))
def test_any_table_with_any_labels(table: Table, drawn_labels: list[tuple[int, int, int]]) -> None:
    labels = [Label(str(number), str(label), f"k{row}") for number, label, row in drawn_labels]
    check_output(table, labels)
    with suppress(NotEnoughLabels):
        assert 0 <= evaluate(table, labels, Settings()).f1 <= 1


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([], id="no rows"),
        pytest.param([["one"]], id="one row"),
        pytest.param([["one"], ["two"]], id="two rows"),
        pytest.param([["same", "same"]] * 30, id="all rows equal"),
        pytest.param([[None, ""]] * 12, id="all cells empty"),
        pytest.param([[f"unique{row}"] for row in range(40)], id="only a prefix shared"),
        pytest.param([[chr(0x4E00 + 7 * row) * 3, "🦊"] for row in range(30)], id="one-character words, emoji"),
        pytest.param([["the inc " + str(row * row)] for row in range(50)], id="stop words in every row"),
        pytest.param([[f"v{row % 10}"] * 99 for row in range(20)], id="a hundred columns, the key among them"),
        pytest.param([["word " * 20_000 + str(row % 5)] for row in range(10)], id="very long text"),
        pytest.param(
            [["\x1f\x00\u200b" + str(row % 4), "\ud83d"] for row in range(12)], id="control characters, half a surrogate"
        ),
    ],
)
def test_extreme_tables(rows: list[list[str | None]]) -> None:
    check_output(table_of(rows))


def test_equal_rows_are_one_match_and_blank_rows_match_nothing() -> None:
    assert len(set(find_matches(table_of([["x", "y"]] * 10), [], Settings()))) == 1
    assert len(set(find_matches(table_of([[None, " "]] * 10), [], Settings()))) == 10


def test_constant_empty_and_unique_columns_do_not_change_the_matches() -> None:
    names = ["anna karenina", "anna karenin", "leo tolstoy", "leo tolstoi", "fyodor dostoevsky", "fjodor dostoevsky"]
    rows = [[name, "constant", None, f"u{row * 7919}"] for row, name in enumerate(names)]
    ids = find_matches(table_of(rows), [], Settings())
    assert ids[0] == ids[1]
    assert ids[0] != ids[2]
    assert ids[0] != ids[4]


def test_the_only_possible_set_is_proposed_once() -> None:
    table = table_of([["one"], ["two"], ["three"]])
    first = propose_labeling_sets(table, [], Settings())
    labels = [Label("s", str(row), f"k{row}") for row in first[0]]
    assert first
    assert frozenset(first[0]) not in {frozenset(members) for members in propose_labeling_sets(table, labels, Settings())}
