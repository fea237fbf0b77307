"""What `make bench` prints and writes: figures, goals that were missed, and footnotes for what could not be measured."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench.__main__ import MEASUREMENTS
from bench.performance_page import PAGE, SHARES, TABLE, draw, put, table
from bench.rows import HEADING, PEERS, Row, in_columns, interleaved, ratios, text_table

NOW = datetime(2026, 11, 22, tzinfo=UTC)
RATIO = Row("cold start", 0.80, 0.7512, {"bare": 1.0, "textbook": 4.8}, plotted=True)


@pytest.mark.parametrize(
    ("ours", "is_met"), [(0.80, True), (0.8049, True), (0.8051, False), (None, None)], ids=["at", "as printed", "over", "none"]
)
def test_goal_is_compared_with_the_printed_figure(ours: float | None, *, is_met: bool | None) -> None:
    assert Row("cold start", 0.80, ours=ours).meets_goal() is is_met


NO_DOCKER = f"Docker has no image ({'the daemon is not running, ' * 10})"
UNMEASURED = [
    Row("cold start", 0.80, missing="no valgrind"),
    Row("first invoke", 1.00, missing=NO_DOCKER),
    Row("calls", 3, 3, digits=0),
    Row("replay", 1.30, missing="no valgrind"),
]


def test_unmeasured_row_has_its_goal_a_footnote_and_no_figure() -> None:
    assert UNMEASURED[0].cells("[1]") == ["cold start", "<= 0.80", "not measured [1]", *[""] * len(PEERS)]


def test_reasons_are_footnotes_under_a_narrow_table() -> None:
    lines = text_table(UNMEASURED).splitlines()
    assert max(map(len, lines)) <= 130
    assert [line.split("not measured ")[1] for line in lines if "not measured" in line] == ["[1]", "[2]", "[1]"]
    assert lines[6] == "[1] no valgrind"
    assert lines[7].startswith("[2] Docker has no image (the daemon is not running")


def test_page_has_the_reasons_as_footnotes() -> None:
    page = table(UNMEASURED, NOW)
    assert "| cold start | <= 0.80 | not measured <sup>1</sup> |" in page
    assert page.count("<sup>1</sup> Not measured on this machine: no valgrind.") == 1
    assert page.count("<sup>2</sup> Not measured on this machine: Docker has no image") == 1
    assert {line.count("|") for line in page.splitlines() if line.startswith("|")} == {len(HEADING) + 1}


def test_every_measurement_has_rows_to_show_when_it_cannot_run() -> None:
    rows = [row for measurement in MEASUREMENTS.values() for row in measurement.rows]
    assert len({row.label for row in rows}) == len(rows)
    assert {row.goal for row in rows if row.plotted} == {1.00, 0.37, 3.2, 1.3, 0.92}


def test_page_names_the_goal_of_every_row() -> None:
    page = PAGE.read_text()
    for row in (row for measurement in MEASUREMENTS.values() for row in measurement.rows):
        assert any(line.startswith(f"| {row.label}") and f"| {row.goal_text()} |" in line for line in page.splitlines()), row


def test_page_row_has_a_cell_per_column_and_marks_a_missed_goal() -> None:
    lines = table([RATIO, Row("zip", 4.8, 5.25, unit=" MB", digits=1)], NOW).splitlines()
    assert lines[0] == "Measured on 2026-11-22."
    assert {line.count("|") for line in lines[2:]} == {len(HEADING) + 1}
    assert lines[4] == "| cold start | <= 0.80 | **0.75** | 1.00 | 4.80 |  |  |  |"
    assert "**5.2 MB** (missed)" in lines[5]


def test_only_the_text_between_the_markers_is_replaced() -> None:
    begin, end = TABLE
    page = f"above\n{begin}\nold\n{end}\nbelow\n"
    once = put(page, "new", TABLE)
    assert once == f"above\n{begin}\nnew\n{end}\nbelow\n"
    assert put(once, "new", TABLE) == once
    with pytest.raises(ValueError, match="has no"):
        put(page, "new", SHARES)


def test_page_has_all_markers() -> None:
    assert put(put(PAGE.read_text(), "figures", TABLE), "shares", SHARES).count("\nfigures\n") == 1


def test_columns_are_aligned() -> None:
    heading, rule, *lines = in_columns([["a", "bb"], ["long", "x"], ["y", "z"]]).splitlines()
    assert (heading, rule, lines) == ("a     bb", "--------", ["long  x", "y     z"])


def test_measurements_take_turns_and_the_median_counts() -> None:
    turns: list[str] = []
    figures = iter([1.0, 10.0, 99.0, 20.0, 2.0, 99.0])

    def measure(name: str) -> float:
        turns.append(name)
        return next(figures)

    assert interleaved(3, {"a": lambda: measure("a"), "b": lambda: measure("b")}) == {"a": 2.0, "b": 20.0}
    assert turns == ["a", "b"] * 3
    assert ratios({"a": 2.0, "b": 20.0}, 4.0) == {"a": 0.5, "b": 5.0}


def test_picture_is_a_png(tmp_path: Path) -> None:
    draw([RATIO, RATIO, RATIO], tmp_path / "bars.png")
    assert (tmp_path / "bars.png").read_bytes().startswith(b"\x89PNG")
    draw([], tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()
