"""Matching a table: the output's formats, the task run that records it, and rows that were matched before."""

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from local.glue.errors import GlueError
from local.glue.service import GlueService
from tests.glue_emulator.lab import COLUMNS, ROWS, TWO_SETS, WHO, Bench, Lab, csv_text
from tests.glue_emulator.servers import Servers

Row = Mapping[str, str | None]


def from_csv(body: bytes) -> list[Row]:
    return [{name: cell or None for name, cell in row.items()} for row in csv.DictReader(io.StringIO(body.decode()))]


def from_json(body: bytes) -> list[Row]:
    return [json.loads(line) for line in body.decode().splitlines()]


def from_parquet(body: bytes) -> list[Row]:
    return list(pq.read_table(io.BytesIO(body)).to_pylist())


@pytest.fixture
def taught(bench: Bench, tmp_path: Path) -> tuple[Lab, GlueService, str]:
    lab, service = bench.open(tmp_path / "state")
    return lab, service, lab.taught()


def matched(lab: Lab, service: GlueService, transform: str, prefix: str, **asked: str) -> bytes:
    path = f"s3://{lab.bucket}/{prefix}"
    run = service.start_find_matches(
        {"TransformId": transform, "OutputS3Path": path, "Format": "csv", "KnownMatchesS3Path": "", **asked}
    )
    lab.succeeded(transform, run)
    (key,) = lab.listed(prefix)
    return lab.get(key)


def groups(rows: list[Row]) -> dict[str | None, set[str | None]]:
    found: dict[str | None, set[str | None]] = {}
    for row in rows:
        found.setdefault(row["match_id"], set()).add(row["id"])
    return found


def share_of_true_pairs(rows: list[Row]) -> float:
    ids = {row["id"]: row["match_id"] for row in rows}
    return sum(ids[f"p{n:02}a"] == ids[f"p{n:02}b"] for n in range(40)) / 40


@pytest.mark.parametrize(("form", "parse"), [("csv", from_csv), ("json", from_json), ("parquet", from_parquet)])
def test_the_output_is_the_table_with_match_ids(
    taught: tuple[Lab, GlueService, str], form: str, parse: Callable[[bytes], list[Row]]
) -> None:
    lab, service, transform = taught
    rows = parse(matched(lab, service, transform, "matches/", Format=form))
    assert list(rows[0]) == [*COLUMNS, "match_id"]
    assert [tuple(row[name] for name in COLUMNS) for row in rows] == ROWS
    assert share_of_true_pairs(rows) > 0.9
    for members in groups(rows).values():
        assert len({WHO[str(member)] for member in members}) == 1
    (run,) = lab.glue.get_ml_task_runs(TransformId=transform, Filter={"TaskRunType": "FIND_MATCHES"})["TaskRuns"]
    assert run["Properties"]["TaskType"] == "FIND_MATCHES"
    assert set(run["Properties"]["FindMatchesTaskRunProperties"]) == {"JobId", "JobName", "JobRunId"}


def test_rows_that_were_matched_before_keep_their_ids(taught: tuple[Lab, GlueService, str]) -> None:
    lab, service, transform = taught
    lab.put("people/part-0.csv", csv_text(ROWS[:50], COLUMNS))
    before = {row["id"]: row["match_id"] for row in from_csv(matched(lab, service, transform, "before/"))}
    lab.put("people/part-0.csv", csv_text(ROWS[10:], COLUMNS))
    known = {"KnownMatchesS3Path": f"s3://{lab.bucket}/before/"}
    rows = from_csv(matched(lab, service, transform, "after/", **known))
    after = {row["id"]: row["match_id"] for row in rows}
    assert set(after) == set(WHO)
    assert {key: after[key] for key in before} == before
    fresh = [str(row[0]) for row in ROWS[50:]]
    assert not {after[key] for key in fresh} & set(before.values())
    assert share_of_true_pairs(rows) > 0.9


def test_a_new_row_joins_the_match_it_belongs_to(taught: tuple[Lab, GlueService, str]) -> None:
    lab, service, transform = taught
    without = [row for row in ROWS if row[0] != "p07b"]
    lab.put("people/part-0.csv", csv_text(without, COLUMNS))
    before = {row["id"]: row["match_id"] for row in from_json(matched(lab, service, transform, "before/", Format="json"))}
    lab.put("people/part-0.csv", csv_text(ROWS, COLUMNS))
    known = {"KnownMatchesS3Path": f"s3://{lab.bucket}/before/"}
    after = {row["id"]: row["match_id"] for row in from_csv(matched(lab, service, transform, "after/", **known))}
    assert after["p07b"] == before["p07a"]


def test_something_else_is_no_earlier_output(taught: tuple[Lab, GlueService, str]) -> None:
    lab, service, transform = taught
    asked = {"TransformId": transform, "OutputS3Path": f"s3://{lab.bucket}/x/", "Format": "csv"}
    run = service.start_find_matches({**asked, "KnownMatchesS3Path": f"s3://{lab.bucket}/none/"})
    ended = lab.ended(transform, run)
    assert ended["Status"] == "FAILED"
    assert "is not an output of an earlier matching of this table" in ended["ErrorString"]


def test_matching_needs_a_taught_transform_and_a_known_format(bench: Bench, tmp_path: Path) -> None:
    lab, service = bench.open(tmp_path / "state")
    transform = lab.transform()
    asked = {"TransformId": transform, "OutputS3Path": "s3://b/x", "Format": "csv", "KnownMatchesS3Path": ""}
    with pytest.raises(GlueError, match="MLTransformNotReadyException"):
        service.start_find_matches(asked)
    lab.succeeded(transform, lab.start_import(transform, TWO_SETS))
    with pytest.raises(GlueError, match="Format xml is not one of csv, json, parquet"):
        service.start_find_matches({**asked, "Format": "xml"})


def test_labels_can_be_enforced_on_the_output(taught: tuple[Lab, GlueService, str]) -> None:
    lab, service, transform = taught
    odd = [("odd", "A", "p00a"), ("odd", "A", "p30b"), ("apart", "A", "p01a"), ("apart", "B", "p01b")]
    cells = {row[0]: row for row in ROWS}
    body = csv_text([(s, label, *cells[key]) for s, label, key in odd], ("labeling_set_id", "label", *COLUMNS))
    lab.succeeded(transform, lab.start_import(transform, body))
    parameters = {"PrimaryKeyColumnName": "id", "EnforceProvidedLabels": True}
    lab.glue.update_ml_transform(
        TransformId=transform, Parameters={"TransformType": "FIND_MATCHES", "FindMatchesParameters": parameters}
    )
    ids = {row["id"]: row["match_id"] for row in from_csv(matched(lab, service, transform, "enforced/"))}
    assert ids["p00a"] == ids["p30b"]
    assert ids["p01a"] != ids["p01b"]


def test_the_command_matches_a_table_and_shows_its_run(servers: Servers, http_lab: Lab) -> None:
    transform = http_lab.taught()
    output = f"s3://{http_lab.bucket}/matched/"

    def command(*options: str) -> Any:  # noqa: ANN401 - the task run's JSON
        done = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "local.glue.match_cli", "--endpoint-url", servers.glue_url, *options],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        )
        return done.returncode, done.stdout, done.stderr

    code, shown, _ = command("--transform-id", transform, "--output", output, "--format", "json")
    assert code == 0
    run = json.loads(shown)
    assert run["Status"] == "SUCCEEDED"
    assert http_lab.run(transform, run["TaskRunId"])["Properties"]["TaskType"] == "FIND_MATCHES"
    (key,) = http_lab.listed("matched/")
    assert share_of_true_pairs(from_json(http_lab.get(key))) > 0.9

    code, _, said = command("--transform-id", "tfm-gone", "--output", output)
    assert code == 2
    assert "Cannot find MLTransform in account 000000000000 with handle tfm-gone." in said
    code, shown, _ = command("--transform-id", transform, "--output", "s3://no-such-bucket-anywhere/x")
    assert code == 1
    assert "NoSuchBucket" in json.loads(shown)["ErrorString"]
