"""Matching a table: output formats, the task run that records it, and incremental matching."""

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
from tests.glue_emulator.emulator import Emulator, EmulatorFactory
from tests.glue_emulator.people import COLUMNS, PERSON_OF, ROWS, TWO_SETS, csv_text
from tests.glue_emulator.servers import Servers

Row = Mapping[str, str | None]


def from_csv(body: bytes) -> list[Row]:
    return [{name: cell or None for name, cell in row.items()} for row in csv.DictReader(io.StringIO(body.decode()))]


def from_json(body: bytes) -> list[Row]:
    return [json.loads(line) for line in body.decode().splitlines()]


def from_parquet(body: bytes) -> list[Row]:
    return list(pq.read_table(io.BytesIO(body)).to_pylist())


@pytest.fixture
def trained(emulators: EmulatorFactory, tmp_path: Path) -> tuple[Emulator, GlueService, str]:
    emulator, service = emulators.start(tmp_path / "state")
    return emulator, service, emulator.create_trained_transform()


def matched(emulator: Emulator, service: GlueService, transform: str, prefix: str, **options: str) -> bytes:
    path = f"s3://{emulator.bucket}/{prefix}"
    run = service.start_find_matches(
        {"TransformId": transform, "OutputS3Path": path, "Format": "csv", "KnownMatchesS3Path": "", **options}
    )
    emulator.wait_for_success(transform, run)
    (key,) = (key for key in emulator.list_keys(prefix) if "_report" not in key)
    return emulator.get_object(key)


def groups(rows: list[Row]) -> dict[str | None, set[str | None]]:
    keys_by_match: dict[str | None, set[str | None]] = {}
    for row in rows:
        keys_by_match.setdefault(row["match_id"], set()).add(row["id"])
    return keys_by_match


def share_of_true_pairs(rows: list[Row]) -> float:
    ids = {row["id"]: row["match_id"] for row in rows}
    return sum(ids[f"p{n:02}a"] == ids[f"p{n:02}b"] for n in range(40)) / 40


@pytest.mark.parametrize(("form", "parse"), [("csv", from_csv), ("json", from_json), ("parquet", from_parquet)])
def test_the_output_is_the_table_plus_match_ids(
    trained: tuple[Emulator, GlueService, str], form: str, parse: Callable[[bytes], list[Row]]
) -> None:
    emulator, service, transform = trained
    rows = parse(matched(emulator, service, transform, "matches/", Format=form))
    assert list(rows[0]) == [*COLUMNS, "match_id", "match_confidence_score"]
    assert [tuple(row[name] for name in COLUMNS) for row in rows] == ROWS
    assert share_of_true_pairs(rows) > 0.9
    for members in groups(rows).values():
        assert len({PERSON_OF[str(member)] for member in members}) == 1
    (run,) = emulator.glue.get_ml_task_runs(TransformId=transform, Filter={"TaskRunType": "FIND_MATCHES"})["TaskRuns"]
    assert run["Properties"]["TaskType"] == "FIND_MATCHES"
    assert set(run["Properties"]["FindMatchesTaskRunProperties"]) == {"JobId", "JobName", "JobRunId"}


@pytest.mark.parametrize(("form", "parse"), [("csv", from_csv), ("json", from_json), ("parquet", from_parquet)])
def test_the_rows_of_a_match_have_one_confidence_score(
    trained: tuple[Emulator, GlueService, str], form: str, parse: Callable[[bytes], list[Row]]
) -> None:
    rows = parse(matched(*trained, "matches/", Format=form))
    score_of_id: dict[str | None, set[Any]] = {}
    for row in rows:
        score_of_id.setdefault(row["match_id"], set()).add(row["match_confidence_score"])
    assert all(len(scores) == 1 for scores in score_of_id.values())
    scores = [scores.pop() for scores in score_of_id.values()]
    assert {type(score) for score in scores} == {str if form == "csv" else float}
    assert all(0 <= float(score) <= 1 for score in scores)
    assert max(float(score) for score in scores) > 0.8


def test_confidence_scores_can_be_left_out(trained: tuple[Emulator, GlueService, str]) -> None:
    emulator, service, transform = trained
    request = {
        "TransformId": transform,
        "OutputS3Path": f"s3://{emulator.bucket}/plain/",
        "Format": "csv",
        "KnownMatchesS3Path": "",
    }
    run = service.start_find_matches({**request, "ComputeMatchConfidenceScores": False})
    emulator.wait_for_success(transform, run)
    (key,) = emulator.list_keys("plain/")
    assert list(from_csv(emulator.get_object(key))[0]) == [*COLUMNS, "match_id"]


def test_an_incremental_run_reports_what_was_kept_joined_new_and_mergeable(
    trained: tuple[Emulator, GlueService, str],
) -> None:
    emulator, service, transform = trained
    # p03a and p03b are one person, known by two ids; p07b is new and matches p07a; p20a and p20b are new together.
    known_rows = [(row[0], f"m-{row[0]}" if row[0] in ("p03a", "p03b") else f"m-{PERSON_OF[str(row[0])]}") for row in ROWS]
    known_rows = [row for row in known_rows if row[0] not in ("p07b", "p20a", "p20b")]
    known = emulator.put_object("edited/out.csv", csv_text(known_rows, ("id", "match_id")))
    rows = from_csv(matched(emulator, service, transform, "after/", KnownMatchesS3Path=known))
    (path,) = (key for key in emulator.list_keys("after/") if "_report" in key)
    report = json.loads(emulator.get_object(path))
    after = {row["id"]: row["match_id"] for row in rows}
    assert {key: after[key] for key, _ in known_rows} == dict(known_rows)
    assert report["kept"] == {"rows": len(ROWS) - 3, "groups": len({match_id for _, match_id in known_rows})}
    assert report["joined"] == {"rows": 1, "groups": 1, "members": [{"key": "p07b", "matchId": after["p07a"]}]}
    assert report["new"] == {"rows": 2, "groups": 1}
    assert report["merged"] == {"groups": 1, "matchIds": [["m-p03a", "m-p03b"]]}
    again = {
        row["id"]: row["match_id"]
        for row in from_csv(
            matched(emulator, service, transform, "again/", KnownMatchesS3Path=f"s3://{emulator.bucket}/after/")
        )
    }
    assert again == after


def test_rows_of_an_earlier_output_keep_their_match_ids(trained: tuple[Emulator, GlueService, str]) -> None:
    emulator, service, transform = trained
    emulator.put_object("people/part-0.csv", csv_text(ROWS[:50], COLUMNS))
    before = {row["id"]: row["match_id"] for row in from_csv(matched(emulator, service, transform, "before/"))}
    emulator.put_object("people/part-0.csv", csv_text(ROWS[10:], COLUMNS))
    known = {"KnownMatchesS3Path": f"s3://{emulator.bucket}/before/"}
    rows = from_csv(matched(emulator, service, transform, "after/", **known))
    after = {row["id"]: row["match_id"] for row in rows}
    assert set(after) == set(PERSON_OF)
    assert {key: after[key] for key in before} == before
    new_keys = [str(row[0]) for row in ROWS[50:]]
    assert not {after[key] for key in new_keys} & set(before.values())
    assert share_of_true_pairs(rows) > 0.9


def test_a_new_row_joins_an_existing_match(trained: tuple[Emulator, GlueService, str]) -> None:
    emulator, service, transform = trained
    without = [row for row in ROWS if row[0] != "p07b"]
    emulator.put_object("people/part-0.csv", csv_text(without, COLUMNS))
    before = {row["id"]: row["match_id"] for row in from_json(matched(emulator, service, transform, "before/", Format="json"))}
    emulator.put_object("people/part-0.csv", csv_text(ROWS, COLUMNS))
    known = {"KnownMatchesS3Path": f"s3://{emulator.bucket}/before/"}
    after = {row["id"]: row["match_id"] for row in from_csv(matched(emulator, service, transform, "after/", **known))}
    assert after["p07b"] == before["p07a"]


def test_an_earlier_output_is_read_by_its_header(trained: tuple[Emulator, GlueService, str]) -> None:
    emulator, service, transform = trained
    before = {row["id"]: row["match_id"] for row in from_csv(matched(emulator, service, transform, "before/"))}
    reordered = [(str(match_id), "0.9", str(key)) for key, match_id in before.items() if key != "p03b"]
    reordered.append(("m-gone", "1.0", "gone"))
    known = emulator.put_object("edited/out.csv", csv_text(reordered, ("match_id", "match_confidence_score", "id")))
    rows = from_csv(matched(emulator, service, transform, "after/", KnownMatchesS3Path=known))
    after = {row["id"]: row["match_id"] for row in rows}
    assert after == {**before, "p03b": after["p03b"], "gone": "m-gone"}
    assert rows[-1] == {
        "id": "gone",
        "name": None,
        "street": None,
        "city": None,
        "match_id": "m-gone",
        "match_confidence_score": "1.0",
    }


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"id,name\np00a,Ada\n", "it has no column match_id."),
        (b"match_id,name\nm1,Ada\n", "column id has no value in row 1."),
        (b"id,match_id\np00a,\n", "column match_id has no value in row 1."),
        (b"id,match_id,match_id\np00a,m1,m2\n", "has the column match_id more than once."),
        (b"id,match_id\np00a,m1\np00a,m2\n", "has rows with the same id; name the output of one matching, not several."),
    ],
)
def test_what_is_no_earlier_output_is_refused_with_the_reason(
    trained: tuple[Emulator, GlueService, str], body: bytes, message: str
) -> None:
    emulator, service, transform = trained
    known = emulator.put_object("known/out.csv", body)
    request = {"TransformId": transform, "OutputS3Path": f"s3://{emulator.bucket}/x/", "Format": "csv"}
    ended = emulator.wait_until_ended(transform, service.start_find_matches({**request, "KnownMatchesS3Path": known}))
    assert ended["Status"] == "FAILED"
    assert known in ended["ErrorString"]
    assert message in ended["ErrorString"]


def test_an_earlier_output_that_does_not_exist_fails_the_run(trained: tuple[Emulator, GlueService, str]) -> None:
    emulator, service, transform = trained
    request = {"TransformId": transform, "OutputS3Path": f"s3://{emulator.bucket}/x/", "Format": "csv"}
    run = service.start_find_matches({**request, "KnownMatchesS3Path": f"s3://{emulator.bucket}/none/"})
    ended = emulator.wait_until_ended(transform, run)
    assert ended["Status"] == "FAILED"
    assert "is not an output of an earlier matching of this table" in ended["ErrorString"]


def test_matching_needs_a_ready_transform_and_a_supported_format(emulators: EmulatorFactory, tmp_path: Path) -> None:
    emulator, service = emulators.start(tmp_path / "state")
    transform = emulator.create_transform()
    request = {"TransformId": transform, "OutputS3Path": "s3://b/x", "Format": "csv", "KnownMatchesS3Path": ""}
    with pytest.raises(GlueError, match="MLTransformNotReadyException"):
        service.start_find_matches(request)
    emulator.wait_for_success(transform, emulator.start_import(transform, TWO_SETS))
    with pytest.raises(GlueError, match="Format xml is not one of csv, json, parquet"):
        service.start_find_matches({**request, "Format": "xml"})


def test_enforced_labels_decide_over_the_model(trained: tuple[Emulator, GlueService, str]) -> None:
    emulator, service, transform = trained
    pairs = [("odd", "A", "p00a"), ("odd", "A", "p30b"), ("apart", "A", "p01a"), ("apart", "B", "p01b")]
    cells = {row[0]: row for row in ROWS}
    body = csv_text([(s, label, *cells[key]) for s, label, key in pairs], ("labeling_set_id", "label", *COLUMNS))
    emulator.wait_for_success(transform, emulator.start_import(transform, body))
    parameters = {"PrimaryKeyColumnName": "id", "EnforceProvidedLabels": True}
    emulator.glue.update_ml_transform(
        TransformId=transform, Parameters={"TransformType": "FIND_MATCHES", "FindMatchesParameters": parameters}
    )
    ids = {row["id"]: row["match_id"] for row in from_csv(matched(emulator, service, transform, "enforced/"))}
    assert ids["p00a"] == ids["p30b"]
    assert ids["p01a"] != ids["p01b"]


def test_match_cli_prints_the_run_and_exits_by_its_status(servers: Servers, http_emulator: Emulator) -> None:
    transform = http_emulator.create_trained_transform()
    output = f"s3://{http_emulator.bucket}/matched/"

    def command(*options: str) -> Any:  # noqa: ANN401 - the task run's JSON
        process = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "local.glue.match_cli", "--endpoint-url", servers.glue_url, *options],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={**os.environ, "PYTHONPATH": str(Path.cwd())},
        )
        return process.returncode, process.stdout, process.stderr

    code, output_text, _ = command("--transform-id", transform, "--output", output, "--format", "json")
    assert code == 0
    run = json.loads(output_text)
    assert run["Status"] == "SUCCEEDED"
    assert http_emulator.get_run(transform, run["TaskRunId"])["Properties"]["TaskType"] == "FIND_MATCHES"
    (key,) = http_emulator.list_keys("matched/")
    assert share_of_true_pairs(from_json(http_emulator.get_object(key))) > 0.9

    code, _, message = command("--transform-id", "tfm-gone", "--output", output)
    assert code == 2
    assert "Cannot find MLTransform in account 000000000000 with handle tfm-gone." in message
    code, output_text, _ = command("--transform-id", transform, "--output", "s3://no-such-bucket-anywhere/x")
    assert code == 1
    assert "NoSuchBucket" in json.loads(output_text)["ErrorString"]
