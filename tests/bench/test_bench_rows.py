"""What `make bench` prints and writes: rows say what was reached, what was not, and what could not be measured."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.page import PAGE, SHARES, TABLE, draw, put, table
from bench.rows import HEADING, PEERS, Row, in_columns, interleaved, ratios

NOW = datetime(2026, 11, 22, tzinfo=UTC)
RATIO = Row("cold start", 0.80, "0.86", 0.7512, {"bare": 1.0, "textbook": 4.8}, plotted=True)


@pytest.mark.parametrize(
    ("ours", "reached"), [(0.80, True), (0.8049, True), (0.8051, False), (None, None)], ids=["at", "as printed", "over", "none"]
)
def test_a_goal_is_reached_by_the_figure_that_is_printed(ours: float | None, *, reached: bool | None) -> None:
    assert Row("cold start", 0.80, ours=ours).is_reached() is reached


def test_what_could_not_be_measured_says_why_and_shows_no_figure() -> None:
    row = Row("cold start", 0.80, why="no valgrind")
    assert row.today() == "not measured here: no valgrind"
    assert row.cells()[4:] == [""] * len(PEERS)


def test_a_row_in_the_page_has_a_cell_for_each_column_and_says_when_it_missed_its_goal() -> None:
    lines = table([RATIO, Row("zip", 4.8, "4.8", 5.25, unit=" MB", digits=1)], NOW).splitlines()
    assert lines[0] == "Measured on 2026-11-22."
    assert {line.count("|") for line in lines[2:]} == {len(HEADING) + 1}
    assert lines[4] == "| cold start | <= 0.80 | 0.86 | **0.75** | 1.00 | 4.80 |  |  |  |"
    assert "**5.2 MB** (not reached)" in lines[5]


def test_only_what_is_between_the_markers_is_written_anew() -> None:
    begin, end = TABLE
    page = f"above\n{begin}\nold\n{end}\nbelow\n"
    once = put(page, "new", TABLE)
    assert once == f"above\n{begin}\nnew\n{end}\nbelow\n"
    assert put(once, "new", TABLE) == once
    with pytest.raises(ValueError, match="has no"):
        put(page, "new", SHARES)


def test_the_page_has_both_places() -> None:
    assert put(put(PAGE.read_text(), "figures", TABLE), "shares", SHARES).count("\nfigures\n") == 1


def test_columns_are_aligned() -> None:
    heading, rule, *lines = in_columns([["a", "bb"], ["long", "x"], ["y", "z"]]).splitlines()
    assert (heading, rule, lines) == ("a     bb", "--------", ["long  x", "y     z"])


def test_all_ways_take_turns_and_the_median_counts() -> None:
    asked: list[str] = []
    figures = iter([1.0, 10.0, 99.0, 20.0, 2.0, 99.0])

    def ask(name: str) -> float:
        asked.append(name)
        return next(figures)

    assert interleaved(3, {"a": lambda: ask("a"), "b": lambda: ask("b")}) == {"a": 2.0, "b": 20.0}
    assert asked == ["a", "b"] * 3
    assert ratios({"a": 2.0, "b": 20.0}, 4.0) == {"a": 0.5, "b": 5.0}


def test_the_picture_is_a_picture(tmp_path: Path) -> None:
    draw([RATIO, RATIO, RATIO], tmp_path / "bars.png")
    assert (tmp_path / "bars.png").read_bytes().startswith(b"\x89PNG")
    draw([], tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()
