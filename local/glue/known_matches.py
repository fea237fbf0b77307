"""The output of an earlier matching: its rows, and their match ids by primary key."""

from collections.abc import Sequence

from findmatches import Table
from local.glue.aws import Aws, S3Path, Unavailable
from local.glue.tables.csv_reader import Cell, CsvDialect, read_csv
from local.glue.tables.objects import data_objects, decode, decompress, read_objects
from local.glue.tables.schema import MATCH_ID
from local.glue.tables.serde import TableFormat


def read_known_matches(aws: Aws, path: S3Path, table: Table) -> tuple[Table, dict[str, str]]:
    """The earlier rows with the columns of `table`, and the match id of each primary key.

    Columns are matched by name, in any order; one that the earlier output lacks is null there. Raises Unavailable for
    what is not the output of a matching of this table.
    """
    names = (*table.names, MATCH_ID)
    columns: dict[str, list[Cell]] = {name: [] for name in names}
    for output in data_objects(aws.objects.keys(path), path):
        for name, cells in _read_output(aws, output, names).items():
            columns[name].extend(cells)
    ids = columns.pop(MATCH_ID)
    keys = columns[table.primary_key]
    if not keys:
        raise Unavailable(f"{path} is not an output of an earlier matching of this table: there are no rows.")
    for name, cells in ((table.primary_key, keys), (MATCH_ID, ids)):
        if None in cells:
            row = cells.index(None) + 1
            raise Unavailable(
                f"{path} is not an output of an earlier matching of this table: column {name} has no value in row {row}."
            )
    if len(set(keys)) < len(keys):
        raise Unavailable(f"{path} has rows with the same {table.primary_key}; name the output of one matching, not several.")
    known = {str(key): str(match_id) for key, match_id in zip(keys, ids, strict=True)}
    return Table({name: columns[name] for name in table.names}, table.primary_key), known


def _read_output(aws: Aws, path: S3Path, names: Sequence[str]) -> dict[str, list[Cell]]:
    suffix = path.key.removesuffix(".gz").rsplit(".", 1)[-1]
    if suffix in ("json", "parquet"):
        return read_objects(aws, [path], TableFormat(suffix), names)
    header = _csv_header(aws, path)
    columns = read_objects(aws, [path], TableFormat("csv", header_lines=1), header)
    rows = len(columns[header[0]])
    return {name: columns.get(name, [None] * rows) for name in names}


def _csv_header(aws: Aws, path: S3Path) -> list[str]:
    """The names of the first row. Raises Unavailable if they are not those of an output."""
    header = next(read_csv(decode(decompress(aws.objects.read(path))), CsvDialect()), [])
    names = [name or "" for name in header]
    if MATCH_ID not in names:
        raise Unavailable(f"{path} is not an output of an earlier matching of this table: it has no column {MATCH_ID}.")
    twins = sorted({name for name in names if names.count(name) > 1})
    if twins:
        raise Unavailable(f"{path} has the column {twins[0]} more than once.")
    return names
