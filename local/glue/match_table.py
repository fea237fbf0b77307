"""Matching a table: writes its rows with a `match_id`, and keeps the ids of an earlier output if there is one."""

from collections.abc import Callable, Iterator, Sequence

import findmatches
from findmatches import Table
from local.glue.aws import Aws, S3Path, parse_s3_path
from local.glue.job import Job, JobFailed
from local.glue.known_matches import read_known_matches
from local.glue.tables.csv_reader import Cell
from local.glue.tables.schema import MATCH_ID
from local.glue.tables.table_reader import read_table
from local.glue.tables.writers import write_csv, write_json_lines, write_parquet

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
        earlier, known = read_known_matches(aws, parse_s3_path(job.known_path), table)
        table = _combine(earlier, table)
    labels = [findmatches.Label(label.set_id, label.label, label.key) for label in job.labels]
    ids = findmatches.find_matches(table, labels, settings, known=[known.get(key or "") for key in table.keys])
    rows = ((*(column[number] for column in table.columns.values()), ids[number]) for number in range(len(table)))
    aws.objects.write(output, WRITERS[job.output_format]((*table.names, MATCH_ID), rows))


def _combine(earlier: Table, table: Table) -> Table:
    """The rows of `table`, then the rows that only `earlier` has."""
    present = set(table.keys)
    removed = [number for number, key in enumerate(earlier.keys) if key not in present]
    columns: dict[str, Sequence[Cell]] = {
        name: [*cells, *(earlier.columns[name][number] for number in removed)] for name, cells in table.columns.items()
    }
    return Table(columns, table.primary_key)
