"""Matching a table: writes its rows with a match id and a confidence score, and keeps the ids of an earlier output."""

import json
from collections.abc import Callable, Iterator, Sequence

import findmatches
from findmatches import Table
from local.glue.aws import Aws, S3Path, parse_s3_path
from local.glue.incremental_report import incremental_report
from local.glue.job import Job, JobFailed
from local.glue.known_matches import read_known_matches
from local.glue.tables.csv_reader import Cell
from local.glue.tables.schema import MATCH_CONFIDENCE, MATCH_ID
from local.glue.tables.table_reader import read_table
from local.glue.tables.writers import OutputCell, write_csv, write_json_lines, write_parquet

Writer = Callable[[Sequence[str], Iterator[Sequence[OutputCell]]], bytes]
WRITERS: dict[str, Writer] = {"csv": write_csv, "json": write_json_lines, "parquet": write_parquet}


def write_matches(job: Job, aws: Aws, settings: findmatches.Settings, output: S3Path) -> None:
    """Write one object with the table's columns, `match_id` and `match_confidence_score`.

    Rows with the same match id match each other, and have one score, as in Glue (developer guide, "Estimating the quality of
    matches using match confidence scores"): here the mean confidence of the group's rows.

    With `job.known_path` (an earlier output in any of the three formats), rows of that output keep their ids, and stay in
    the output even when they are no longer in the table. A report of what became of them is written beside the output.
    """
    table = read_table(aws, job.table, job.primary_key)
    added = (MATCH_ID, MATCH_CONFIDENCE) if job.confidence_scores else (MATCH_ID,)
    for name in added:
        if name in table.names:
            raise JobFailed(f"The table already has a column {name}.")
    known_of_key: dict[str, str] = {}
    if job.known_path:
        earlier, known_of_key = read_known_matches(aws, parse_s3_path(job.known_path), table)
        table = _combine(earlier, table)
    keys = set(table.keys)
    labels = [findmatches.Label(label.set_id, label.label, label.key) for label in job.labels if label.key in keys]
    known = [known_of_key.get(key or "") for key in table.keys] if job.known_path else None
    matches = findmatches.Matcher(settings).fit(table, labels).match(table, known)
    scores = _scores_of_groups(matches)
    rows = (
        (*(column[number] for column in table.columns.values()), match_id, scores[match_id])[: len(table.names) + len(added)]
        for number, match_id in enumerate(matches.match_id)
    )
    aws.objects.write(output, WRITERS[job.output_format]((*table.names, *added), rows))
    if known is not None:
        report = incremental_report([str(key) for key in table.keys], known, matches)
        aws.objects.write(_report_path(output), (json.dumps(report, indent=2, ensure_ascii=False) + "\n").encode())


def _scores_of_groups(matches: findmatches.Matches) -> dict[str, float]:
    rows_of_id: dict[str, list[float]] = {}
    for match_id, confidence in zip(matches.match_id, matches.match_confidence.tolist(), strict=True):
        rows_of_id.setdefault(match_id, []).append(confidence)
    return {match_id: sum(scores) / len(scores) for match_id, scores in rows_of_id.items()}


def _report_path(output: S3Path) -> S3Path:
    """Beside the output. The name begins with "_", so that readers of the folder skip it, as those of Hive and Spark do."""
    folder, _, name = output.key.rpartition("/")
    report = f"_{name.rsplit('.', 1)[0]}_report.json"
    return S3Path(output.bucket, f"{folder}/{report}" if folder else report)


def _combine(earlier: Table, table: Table) -> Table:
    """The rows of `table`, then the rows that only `earlier` has."""
    present = set(table.keys)
    removed = [number for number, key in enumerate(earlier.keys) if key not in present]
    columns: dict[str, Sequence[Cell]] = {
        name: [*cells, *(earlier.columns[name][number] for number in removed)] for name, cells in table.columns.items()
    }
    return Table(columns, table.primary_key)
