"""Matching a whole table: its rows with a `match_id`, afresh or beside rows that were matched before."""

from collections.abc import Callable, Iterator, Sequence

import findmatches
from findmatches.table import Table
from local.glue.aws import Aws, S3Path, parse_s3_path
from local.glue.formats import Cell, write_csv, write_json_lines, write_parquet
from local.glue.job import Job, JobFailed
from local.glue.source import TableFormat, read_files, read_table

MATCH_ID = "match_id"
Writer = Callable[[Sequence[str], Iterator[Sequence[Cell]]], bytes]
WRITERS: dict[str, Writer] = {"csv": write_csv, "json": write_json_lines, "parquet": write_parquet}


def find_and_write(job: Job, aws: Aws, settings: findmatches.Settings, output: S3Path) -> None:
    """Writes one object: the table's columns and `match_id`; rows with equal match ids are the same thing.

    With `job.known_path` (an earlier output, any of the three formats) the rows matched before keep their ids, and stay
    in the output even when they have left the table.
    """
    table = read_table(aws, job.table, job.primary_key)
    if MATCH_ID in table.names:
        raise JobFailed(f"The table has a column {MATCH_ID} already.")
    known: dict[str, str] = {}
    if job.known_path:
        earlier, known = _known_matches(aws, parse_s3_path(job.known_path), table)
        table = _together(earlier, table)
    labels = [findmatches.Label(label.set_id, label.label, label.key) for label in job.labels]
    ids = findmatches.find_matches(table, labels, settings, known=[known.get(key or "") for key in table.keys])
    rows = ((*(column[number] for column in table.columns.values()), ids[number]) for number in range(len(table)))
    aws.objects.write(output, WRITERS[job.output_format]((*table.names, MATCH_ID), rows))


def _known_matches(aws: Aws, path: S3Path, table: Table) -> tuple[Table, dict[str, str]]:
    """The rows of an earlier output and their match ids by primary key."""
    columns: dict[str, list[Cell]] = {name: [] for name in (*table.names, MATCH_ID)}
    for found in aws.objects.keys(path):
        form = TableFormat(_kind(found), header_lines=1)
        for name, cells in read_files(aws, [found], form, list(columns)).items():
            columns[name].extend(cells)
    ids = columns.pop(MATCH_ID)
    keys = columns[table.primary_key]
    if not keys or None in keys or None in ids:
        raise JobFailed(f"{path} is not an output of an earlier matching of this table.")
    known = {str(key): str(match_id) for key, match_id in zip(keys, ids, strict=True)}
    return Table({name: columns[name] for name in table.names}, table.primary_key), known


def _together(earlier: Table, table: Table) -> Table:
    """All of `table`, then what only `earlier` has."""
    present = set(table.keys)
    gone = [number for number, key in enumerate(earlier.keys) if key not in present]
    columns: dict[str, Sequence[Cell]] = {
        name: [*cells, *(earlier.columns[name][number] for number in gone)] for name, cells in table.columns.items()
    }
    return Table(columns, table.primary_key)


def _kind(path: S3Path) -> str:
    suffix = path.key.removesuffix(".gz").rsplit(".", 1)[-1]
    return suffix if suffix in WRITERS else "csv"
