"""The steps of a round: generate a labeling set, import its labels, measure F1. At the end, all labels are exported."""

import csv
import io
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from label_loop.api import Response
from local.demo.console import StepFailed, check
from local.demo.context import DemoContext
from local.demo.whole_table import match_whole_table

FINAL_STATUSES = {"SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT", "REFUSED", "START_FAILED", "CANCELLED", "LOST"}
ACCEPTED, CONFLICT = HTTPStatus.ACCEPTED, HTTPStatus.CONFLICT


@dataclass(frozen=True)
class Score:
    """F1 after `labels` labeled rows: from an evaluation run, and of the whole table if the truth is known."""

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
    run = _wait_for_run(demo, "the labeling set is generated", run_id)
    return _download_file(demo, run, f"round-{number}-labeling-set.csv")


def upload_labels(demo: DemoContext, labels: str, number: int) -> None:
    """Upload the label file, which starts its import, and wait until the import has succeeded."""
    (demo.folder / f"round-{number}-labels.csv").write_text(labels)
    key = f"labels/{demo.transform_id}/round-{number}.csv"
    demo.stack.client("s3").put_object(Bucket=demo.stack.bucket, Key=key, Body=labels.encode())
    path = f"s3://{demo.stack.bucket}/{key}"
    run = demo.reporter.wait_for(f"the upload of {path} is imported", lambda: _ended_import(demo, path))
    check(run["status"] == "SUCCEEDED", "an import that succeeded", run)


def evaluate(demo: DemoContext, number: int) -> Score:
    """Run an evaluation and, if the truth is known, match the whole table."""
    response = demo.api.start_evaluation_run(f"evaluation-{number}", demo.transform_id)
    check(response.status == ACCEPTED, "202", response)
    run = _wait_for_run(demo, "the transform is evaluated", response.body["id"])
    check("metrics" in run, "metrics", run)
    f1_held_out = float(run["metrics"]["f1"])
    truth = demo.records.truth
    f1_whole_table = None if truth is None else match_whole_table(demo, number, truth)
    glue = demo.stack.client("glue")
    label_count = int(glue.get_ml_transform(TransformId=demo.transform_id)["LabelCount"])
    score = Score(label_count, f1_held_out, f1_whole_table)
    check(score.labels > 0 and 0 <= f1_held_out <= 1, "labels and an F1 between 0 and 1", score)
    whole_table = "" if f1_whole_table is None else f"; on the whole table, against the truth: {f1_whole_table:.4f}"
    demo.reporter.detail(f"{score.labels} labels, F1 {f1_held_out:.4f} on held-out labels{whole_table}")
    return score


def export_labels(demo: DemoContext, label_count: int) -> None:
    """Export all labels; check that there are `label_count`."""
    response = demo.api.start_label_export_run("export", demo.transform_id, demo.export_s3_path)
    check(response.status == ACCEPTED, "202", response)
    run = _wait_for_run(demo, "the labels are exported", response.body["id"])
    rows = list(csv.DictReader(io.StringIO(_download_file(demo, run, "labels.csv"))))
    check(len(rows) == label_count, f"{label_count} labels in the export", len(rows))
    demo.reporter.detail(f"{len(rows)} labels in {run['outputS3Path']}")


def _wait_for_run(demo: DemoContext, action: str, run_id: str) -> Mapping[str, Any]:
    """The run once it has succeeded. Raises StepFailed if it has not."""
    run = demo.reporter.wait_for(action, lambda: _if_ended(demo.api.get_task_run(run_id)))
    check(run["status"] == "SUCCEEDED", "a run that succeeded", run)
    return run


def _download_file(demo: DemoContext, run: Mapping[str, Any], name: str) -> str:
    """The text of the only file that the run wrote; `name` is that of its copy in the demo's folder."""
    bucket, _, prefix = run["outputS3Path"].removeprefix("s3://").partition("/")
    s3 = demo.stack.client("s3")
    keys = [item["Key"] for item in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]
    check(len(keys) == 1, f"one file under {run['outputS3Path']}", keys)
    text = s3.get_object(Bucket=bucket, Key=keys[0])["Body"].read().decode()
    (demo.folder / name).write_text(text)
    return str(text)


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
