"""One round of the loop: generate a labeling set, upload its labels, wait for their import, and measure F1."""

import json
import threading
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from findmatches.metrics import pairwise_f1
from label_loop.api import ApiClient, Response
from local.cloud.local_http import send_locally
from local.cloud.stack import Stack
from local.demo.console import Reporter, StepFailed, check
from local.sample_table import Records

FINAL_STATUSES = {"SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT", "REFUSED", "START_FAILED", "CANCELLED", "LOST"}
ACCEPTED, CONFLICT = HTTPStatus.ACCEPTED, HTTPStatus.CONFLICT
REQUEST_TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class DemoContext:
    """What every step needs. `folder` gets a copy of each file."""

    stack: Stack
    api: ApiClient
    reporter: Reporter
    records: Records
    transform_id: str
    folder: Path

    @property
    def output_s3_path(self) -> str:
        return f"s3://{self.stack.bucket}/labeling-sets/"


@dataclass(frozen=True)
class Score:
    """F1 after `labels` labeled rows: from Glue's evaluation, and of the whole table if the truth is known."""

    labels: int
    f1_held_out: float
    f1_whole_table: float | None


def start_with_duplicates(demo: DemoContext) -> str:
    """Send the same request twice concurrently and once more; check that one run started. Returns its id."""

    def send() -> Response:
        return demo.api.start_labeling_set_run("round-1", demo.transform_id, demo.output_s3_path)

    first, second = _send_twice_concurrently(send)
    for response in (first, second):
        check(response.status in (ACCEPTED, CONFLICT), "202, or 409 while the first is in flight", response)
    accepted = [response for response in (first, second) if response.status == ACCEPTED]
    check(bool(accepted), "one of two equal requests to be accepted", (first, second))
    demo.reporter.detail(f"sent twice concurrently: {_describe(first)} and {_describe(second)}")
    replay = demo.reporter.wait_for("sent once more", lambda: response if (response := send()).status != CONFLICT else None)
    check(replay.status == ACCEPTED and _is_replay(replay), "a replay", replay)
    run_ids = {response.body["id"] for response in (*accepted, replay)}
    check(len(run_ids) == 1, "the same run in every response", run_ids)
    task_runs = demo.stack.client("glue").get_ml_task_runs(TransformId=demo.transform_id)["TaskRuns"]
    check(len(task_runs) == 1, "one task run in Glue", task_runs)
    demo.reporter.detail(f"Glue lists 1 task run: {task_runs[0]['TaskRunId']}")
    return str(replay.body["id"])


def start_labeling_set_run(demo: DemoContext, number: int) -> str:
    response = demo.api.start_labeling_set_run(f"round-{number}", demo.transform_id, demo.output_s3_path)
    check(response.status == ACCEPTED, "202", response)
    return str(response.body["id"])


def download_labeling_set(demo: DemoContext, run_id: str, number: int) -> str:
    """Wait until the run has succeeded. Returns the labeling set as CSV text."""
    run = demo.reporter.wait_for("the labeling set is generated", lambda: _if_ended(demo.api.get_task_run(run_id)))
    check(run["status"] == "SUCCEEDED", "a run that succeeded", run)
    bucket, _, prefix = run["outputS3Path"].removeprefix("s3://").partition("/")
    s3 = demo.stack.client("s3")
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]
    check(len(keys) == 1, f"one file under {run['outputS3Path']}", keys)
    text = s3.get_object(Bucket=bucket, Key=keys[0])["Body"].read().decode()
    (demo.folder / f"round-{number}-labeling-set.csv").write_text(text)
    return str(text)


def upload_labels(demo: DemoContext, labels: str, number: int) -> None:
    """Upload the label file, which starts its import, and wait until the import has succeeded."""
    (demo.folder / f"round-{number}-labels.csv").write_text(labels)
    key = f"labels/{demo.transform_id}/round-{number}.csv"
    demo.stack.client("s3").put_object(Bucket=demo.stack.bucket, Key=key, Body=labels.encode())
    path = f"s3://{demo.stack.bucket}/{key}"
    run = demo.reporter.wait_for(f"the upload of {path} is imported", lambda: _ended_import(demo, path))
    check(run["status"] == "SUCCEEDED", "an import that succeeded", run)


def evaluate(demo: DemoContext, number: int) -> Score:
    """Run Glue's evaluation and, if the truth is known, match the whole table."""
    glue = demo.stack.client("glue")
    run_id = glue.start_ml_evaluation_task_run(TransformId=demo.transform_id)["TaskRunId"]
    _wait_for_glue(demo, glue, "Glue evaluates", run_id)
    transform = glue.get_ml_transform(TransformId=demo.transform_id)
    f1_held_out = float(transform["EvaluationMetrics"]["FindMatchesMetrics"]["F1"])
    f1_whole_table = None
    if (truth := demo.records.truth) is not None:
        run_id = _start_matching(demo, number)
        _wait_for_glue(demo, glue, "Glue matches the whole table", run_id)
        match_ids = _download_match_ids(demo, number)
        f1_whole_table = pairwise_f1(list(match_ids.values()), [truth[key] for key in match_ids])
    score = Score(int(transform["LabelCount"]), f1_held_out, f1_whole_table)
    check(score.labels > 0 and 0 <= f1_held_out <= 1, "labels and an F1 between 0 and 1", score)
    whole_table = "" if f1_whole_table is None else f"; on the whole table, against the truth: {f1_whole_table:.4f}"
    demo.reporter.detail(f"{score.labels} labels, F1 {f1_held_out:.4f} on held-out labels{whole_table}")
    return score


def _send_twice_concurrently(send: Callable[[], Response]) -> tuple[Response, Response]:
    responses: list[Response] = []
    threads = [threading.Thread(target=lambda: responses.append(send())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(responses) != len(threads):
        raise StepFailed("one of two concurrent requests got no response")
    return responses[0], responses[1]


def _is_replay(response: Response) -> bool:
    return response.headers.get("idempotency-replayed") == "true"


def _describe(response: Response) -> str:
    replay = ", a replay" if _is_replay(response) else ""
    return f"{response.status} ({response.body.get('id') or response.body.get('title')}{replay})"


def _if_ended(response: Response) -> Mapping[str, Any] | None:
    return response.body if response.body and response.body.get("status") in FINAL_STATUSES else None


def _ended_import(demo: DemoContext, path: str) -> Mapping[str, Any] | None:
    response = demo.api.list_task_runs(transformId=demo.transform_id, taskType="IMPORT_LABELS")
    check(response.status == HTTPStatus.OK, "200", response)
    runs = [run for run in response.body["items"] if run["inputS3Path"] == path]
    check(len(runs) <= 1, "one import per upload", runs)
    return runs[0] if runs and runs[0]["status"] in FINAL_STATUSES else None


def _wait_for_glue(demo: DemoContext, glue: Any, action: str, run_id: str) -> None:  # noqa: ANN401 - boto3's client
    def ended_run() -> Mapping[str, Any] | None:
        run: Mapping[str, Any] = glue.get_ml_task_run(TransformId=demo.transform_id, TaskRunId=run_id)
        return run if run["Status"] in FINAL_STATUSES else None

    run = demo.reporter.wait_for(action, ended_run)
    check(run["Status"] == "SUCCEEDED", f"{action}: a run that succeeded", run)


def _start_matching(demo: DemoContext, number: int) -> str:
    """On AWS a Glue job applies the transform; the Glue emulator has an endpoint for it."""
    body = {"TransformId": demo.transform_id, "OutputS3Path": f"s3://{demo.stack.bucket}/matches/{number}/", "Format": "json"}
    request = urllib.request.Request(  # noqa: S310 - our own process
        f"{demo.stack.glue_endpoint_url}/_glue/match-runs",
        data=json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    with send_locally(request, REQUEST_TIMEOUT_SECONDS) as response:
        return str(json.load(response)["TaskRunId"])


def _download_match_ids(demo: DemoContext, number: int) -> dict[str, str]:
    """The match id of each row, by primary key."""
    s3, prefix = demo.stack.client("s3"), f"matches/{number}/"
    match_ids: dict[str, str] = {}
    for item in s3.list_objects_v2(Bucket=demo.stack.bucket, Prefix=prefix).get("Contents", []):
        text = s3.get_object(Bucket=demo.stack.bucket, Key=item["Key"])["Body"].read().decode()
        (demo.folder / f"round-{number}-matches.jsonl").write_text(text)
        for line in filter(None, text.split("\n")):
            row = json.loads(line)
            match_ids[row[demo.records.primary_key]] = str(row["match_id"])
    check(len(match_ids) == len(demo.records.rows), f"a match id for each of {len(demo.records.rows)} rows", len(match_ids))
    return match_ids
