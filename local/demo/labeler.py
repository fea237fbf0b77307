"""Answering a labeling set: by the known truth, or by the person in the terminal."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby

from rich.console import Console
from rich.prompt import Prompt
from rich.table import Table

SET, LABEL = "labeling_set_id", "label"
Row = dict[str, str]
Labeler = Callable[[Sequence[Row]], list[str]]


def label_from_truth(labeling_set: str, primary_key: str, truth: Mapping[str, str]) -> str:
    """The file with its labels filled in: rows of a set get the same label if they are about the same real thing."""
    return _answered(labeling_set, lambda rows: _numbered([truth[row[primary_key]] for row in rows]))


def label_interactively(labeling_set: str, console: Console) -> str:
    """The file with its labels filled in from what the person says about each set."""
    return _answered(labeling_set, lambda rows: _ask(rows, console))


def _answered(labeling_set: str, labels_of: Labeler) -> str:
    rows = list(csv.DictReader(io.StringIO(labeling_set, newline="")))
    filled = io.StringIO(newline="")
    writer = csv.DictWriter(filled, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for _, members in groupby(rows, key=lambda row: row[SET]):
        together = list(members)
        for row, label in zip(together, labels_of(together), strict=True):
            writer.writerow({**row, LABEL: label})
    return filled.getvalue()


def _numbered(things: Sequence[str]) -> list[str]:
    seen = list(dict.fromkeys(things))
    return [str(seen.index(thing) + 1) for thing in things]


def _ask(rows: Sequence[Row], console: Console) -> list[str]:
    shown = Table(title=f"Labeling set {rows[0][SET]}")
    shown.add_column("row", justify="right")
    columns = [name for name in rows[0] if name not in (SET, LABEL)]
    for name in columns:
        shown.add_column(name)
    for number, row in enumerate(rows, start=1):
        shown.add_row(str(number), *(row[name] for name in columns))
    console.print(shown)
    while True:
        said = Prompt.ask(
            "Which rows are the same? (such as 1 4, 2 3 5; Enter: none of them)",
            console=console,
            default="",
            show_default=False,
        )
        try:
            return list(_labels(said, len(rows)))
        except ValueError as error:
            console.print(str(error))


def _labels(said: str, count: int) -> Iterator[str]:
    """`1 4, 2 3 5` puts rows 1 and 4 together, and 2, 3 and 5; every other row gets a label of its own."""
    group_of: dict[int, str] = {}
    for name, group in enumerate(said.split(","), start=1):
        for word in group.split():
            if not word.isdigit() or not 1 <= int(word) <= count:
                raise ValueError(f"{word!r} is no row: they are numbered 1 to {count}")
            if int(word) in group_of:
                raise ValueError(f"row {word} stands in two groups")
            group_of[int(word)] = f"same-{name}"
    for number in range(1, count + 1):
        yield group_of.get(number, f"only-{number}")
