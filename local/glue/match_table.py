"""Matching a table: writes its rows with a `match_id`, and keeps the ids of an earlier output if there is one."""

from collections.abc import Callable, Iterator, Sequence

import findmatches
from findmatches import Table
from local.glue.aws import Aws, S3Path, parse_s3_path
from local.glue.formats import Cell, write_csv, write_json_lines, write_parquet
from local.glue.job import Job, JobFailed
from local.glue.source import TableFormat, read_files, read_table

MATCH_ID = "match_id"
Writer = Callable[[Sequence[str], Iterator[Sequence[Cell]]], bytes]
WRITERS: dict[str, Writer] = {"csv": write_csv, "json": write_json_lines, "parquet": write_parquet}


def write_matches(job: Job, aws: Aws, settings: findmatches.Settings, output: S3Path) -> None:
    """Write one object with the table's columns and `match_id`; rows with the same match id match each other.

    With `job.known_path` (an earlier output in any of the three formats), rows of that output keep their ids, and stay in
    the output even when they are no longer in the table.
    """
    table = read_table(aws, job.table, job.primary_key)
    if MATCH_ID in table.names:
        raise JobFailed(f"The table already has a column {MATCH_ID}.")
    known: dict[str, str] = {}
    if job.known_path:
        earlier, known = _known_matches(aws, parse_s3_path(job.known_path), table)
        table = _combine(earlier, table)
    labels = [findmatches.Label(label.set_id, label.label, label.key) for label in job.labels]
    ids = findmatches.find_matches(table, labels, settings, known=[known.get(key or "") for key in table.keys])
    rows = ((*(column[number] for column in table.columns.values()), ids[number]) for number in range(len(table)))
    aws.objects.write(output, WRITERS[job.output_format]((*table.names, MATCH_ID), rows))


def _known_matches(aws: Aws, path: S3Path, table: Table) -> tuple[Table, dict[str, str]]:
    """The rows of an earlier output and their match ids by primary key."""
    columns: dict[str, list[Cell]] = {name: [] for name in (*table.names, MATCH_ID)}
    for output in aws.objects.keys(path):
        form = TableFormat(_kind(output), header_lines=1)
        for name, cells in read_files(aws, [output], form, list(columns)).items():
            columns[name].extend(cells)
    ids = columns.pop(MATCH_ID)
    keys = columns[table.primary_key]
    if not keys or None in keys or None in ids:
        raise JobFailed(f"{path} is not an output of an earlier matching of this table.")
    known = {str(key): str(match_id) for key, match_id in zip(keys, ids, strict=True)}
    return Table({name: columns[name] for name in table.names}, table.primary_key), known


def _combine(earlier: Table, table: Table) -> Table:
    """The rows of `table`, then the rows that only `earlier` has."""
    present = set(table.keys)
    removed = [number for number, key in enumerate(earlier.keys) if key not in present]
    columns: dict[str, Sequence[Cell]] = {
        name: [*cells, *(earlier.columns[name][number] for number in removed)] for name, cells in table.columns.items()
    }
    return Table(columns, table.primary_key)


def _kind(path: S3Path) -> str:
    suffix = path.key.removesuffix(".gz").rsplit(".", 1)[-1]
    return suffix if suffix in WRITERS else "csv"
