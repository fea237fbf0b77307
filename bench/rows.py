"""A row of the table: what was measured, what it should be, ours and the peers' figures."""

import argparse
import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

PEERS = ("bare", "textbook", "textbook, .pyc", "FastAPI", "FastAPI, .pyc")
NOT_MEASURED = "not measured here"


class NotHere(Exception):
    """Something that the measurement needs is not on this machine; the message says what."""


@dataclass(frozen=True)
class Row:
    """`ours` and `peers` are figures in `unit`, smaller being better; `goal` is the most that ours should be.

    `why` says what was missing where there is no figure. A row with `plotted` is a ratio, of which bare boto3 or a limit is 1.
    """

    what: str
    goal: float | None = None
    best: str = ""
    ours: float | None = None
    peers: Mapping[str, float] = field(default_factory=dict)
    unit: str = ""
    digits: int = 2
    plotted: bool = False
    why: str = ""

    def cells(self) -> list[str]:
        goal = f"<= {self._text(self.goal)}" if self.goal is not None else ""
        return [self.what, goal, self.best, self.today(), *(self._text(self.peers.get(peer)) for peer in PEERS)]

    def today(self) -> str:
        if self.ours is None:
            return f"{NOT_MEASURED}: {self.why}" if self.why else NOT_MEASURED
        return self._text(self.ours)

    def is_reached(self) -> bool | None:
        """None where there is no goal, or no figure; figures count as they are printed."""
        if self.goal is None or self.ours is None:
            return None
        return round(self.ours, self.digits) <= self.goal

    def _text(self, figure: float | None) -> str:
        return "" if figure is None else f"{figure:,.{self.digits}f}{self.unit}"


Measure = Callable[[], list[Row]]


def interleaved(
    rounds: int, ways: Mapping[str, Callable[[], float]], further: int = 0, of: Collection[str] = ()
) -> dict[str, float]:
    """The median of each, each round asking all of them in turn: whatever else the machine does, it does to all.

    Then `further` rounds ask those that `of` names.
    """
    seen: dict[str, list[float]] = {name: [] for name in ways}
    for asked in [*[tuple(ways)] * rounds, *[tuple(of)] * further]:
        for name in asked:
            seen[name].append(ways[name]())
    return {name: median(figures) for name, figures in seen.items()}


def ratios(figures: Mapping[str, float], to: float) -> dict[str, float]:
    return {name: figure / to for name, figure in figures.items()}


def in_columns(rows: Sequence[Sequence[str]]) -> str:
    """Text in aligned columns; the first row is the heading."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


HEADING = ("what", "goal", "best known", "today", *PEERS)


def command(measure: Measure, about: str | None) -> int:
    """A measurement as a command of its own: prints its rows."""
    argparse.ArgumentParser(description=about).parse_args()
    try:
        rows = measure()
    except NotHere as missing:
        print(f"{NOT_MEASURED}: {missing}", file=sys.stderr)
        return 1
    print(in_columns([HEADING, *(row.cells() for row in rows)]))
    return 0
