"""A row of the table: what was measured, its goal, our figure and the peers'."""

import argparse
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from textwrap import fill

PEERS = ("bare", "textbook", "textbook, .pyc", "FastAPI", "FastAPI, .pyc")
HEADING = ("what", "goal", "today", *PEERS)
_NOTE_COLUMNS = 120


class NotMeasurable(Exception):
    """This machine lacks something that the measurement needs; the message says what."""


@dataclass(frozen=True)
class Row:
    """`ours` and `peers` are figures in `unit`, smaller being better; `goal` is the largest that ours should be.

    `missing` says why there is no figure; it becomes a footnote. A `plotted` row is a ratio to bare boto3 or to a limit.
    """

    label: str
    goal: float | None = None
    ours: float | None = None
    peers: Mapping[str, float] = field(default_factory=dict)
    unit: str = ""
    digits: int = 2
    plotted: bool = False
    missing: str = ""

    def cells(self, footnote: str = "") -> list[str]:
        """One cell for each of HEADING; `footnote` is the reference to the reason why there is no figure."""
        today = f"not measured {footnote}".rstrip() if self.ours is None else self.text(self.ours)
        return [self.label, self.goal_text(), today, *(self.text(self.peers.get(peer)) for peer in PEERS)]

    def goal_text(self) -> str:
        return f"<= {self.text(self.goal)}" if self.goal is not None else ""

    def text(self, figure: float | None) -> str:
        return "" if figure is None else f"{figure:,.{self.digits}f}{self.unit}"

    def meets_goal(self) -> bool | None:
        """None without a goal or a figure. Figures count as they are printed."""
        if self.goal is None or self.ours is None:
            return None
        return round(self.ours, self.digits) <= self.goal


Measure = Callable[[], list[Row]]


def interleaved(
    rounds: int, measurements: Mapping[str, Callable[[], float]], more_rounds: int = 0, names: Collection[str] = ()
) -> dict[str, float]:
    """The median of each measurement. They take turns, so that other load on the machine affects all alike.

    Then those of `names` take turns for `more_rounds`.
    """
    figures: dict[str, list[float]] = {name: [] for name in measurements}
    for turn in [*[tuple(measurements)] * rounds, *[tuple(names)] * more_rounds]:
        for name in turn:
            figures[name].append(measurements[name]())
    return {name: median(values) for name, values in figures.items()}


def ratios(figures: Mapping[str, float], unit: float) -> dict[str, float]:
    return {name: figure / unit for name, figure in figures.items()}


def reasons(rows: Sequence[Row]) -> list[str]:
    """Why rows have no figure, each reason once. A row's footnote is the number of its reason, from 1."""
    return list(dict.fromkeys(row.missing for row in rows if row.missing))


def text_table(rows: Sequence[Row]) -> str:
    """The rows in aligned columns, with the footnotes under them."""
    notes = reasons(rows)
    cells = [row.cells(f"[{notes.index(row.missing) + 1}]" if row.missing else "") for row in rows]
    lines = [fill(f"[{number}] {note}", _NOTE_COLUMNS, subsequent_indent="    ") for number, note in enumerate(notes, start=1)]
    return "\n".join([in_columns([HEADING, *cells]), *lines])


def in_columns(rows: Sequence[Sequence[str]]) -> str:
    """Text in aligned columns; the first row is the heading."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def command(measure: Measure, description: str | None) -> int:
    """Run a measurement as a command and print its rows; the exit code."""
    argparse.ArgumentParser(description=description).parse_args()
    try:
        rows = measure()
    except NotMeasurable as missing:
        print(f"not measured on this machine: {missing}", file=sys.stderr)
        return 1
    print(text_table(rows))
    return 0
