"""Fills in the labels of a labeling set: from the known truth, or from a person in the terminal."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby

from rich.console import Console
from rich.prompt import Prompt
from rich.table import Table

SET_ID, LABEL = "labeling_set_id", "label"
Row = dict[str, str]
Labeler = Callable[[Sequence[Row]], list[str]]  # the rows of one labeling set -> a label for each


def label_from_truth(labeling_set: str, primary_key: str, truth: Mapping[str, str]) -> str:
    """The CSV file with its labels: rows of a set get the same label if `truth` maps their keys to the same entity."""
    return _fill_in(labeling_set, lambda rows: _number_entities([truth[row[primary_key]] for row in rows]))


def label_interactively(labeling_set: str, console: Console) -> str:
    """The CSV file with its labels, from what a person enters for each set."""
    return _fill_in(labeling_set, lambda rows: _ask(rows, console))


def _fill_in(labeling_set: str, labeler: Labeler) -> str:
    rows = list(csv.DictReader(io.StringIO(labeling_set, newline="")))
    labeled = io.StringIO(newline="")
    writer = csv.DictWriter(labeled, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    for _, members in groupby(rows, key=lambda row: row[SET_ID]):
        set_rows = list(members)
        for row, label in zip(set_rows, labeler(set_rows), strict=True):
            writer.writerow({**row, LABEL: label})
    return labeled.getvalue()


def _number_entities(entities: Sequence[str]) -> list[str]:
    numbers = {entity: str(number) for number, entity in enumerate(dict.fromkeys(entities), start=1)}
    return [numbers[entity] for entity in entities]


def _ask(rows: Sequence[Row], console: Console) -> list[str]:
    columns = [name for name in rows[0] if name not in (SET_ID, LABEL)]
    table = Table(title=f"Labeling set {rows[0][SET_ID]}")
    table.add_column("row", justify="right")
    for name in columns:
        table.add_column(name)
    for number, row in enumerate(rows, start=1):
        table.add_row(str(number), *(row[name] for name in columns))
    console.print(table)
    while True:
        answer = Prompt.ask(
            "Which rows match? (for example 1 4, 2 3 5; Enter: none)",
            console=console,
            default="",
            show_default=False,
        )
        try:
            return list(_parse_groups(answer, len(rows)))
        except ValueError as error:
            console.print(str(error))


def _parse_groups(answer: str, row_count: int) -> Iterator[str]:
    """A label for each row. `1 4, 2 3 5` groups rows 1 and 4, and rows 2, 3 and 5; other rows match nothing."""
    label_of: dict[int, str] = {}
    for number, group in enumerate(answer.split(","), start=1):
        for token in group.split():
            if not token.isdigit() or not 1 <= int(token) <= row_count:
                raise ValueError(f"{token!r} is not a row number (1 to {row_count})")
            if int(token) in label_of:
                raise ValueError(f"row {token} is in two groups")
            label_of[int(token)] = f"same-{number}"
    for number in range(1, row_count + 1):
        yield label_of.get(number, f"only-{number}")
