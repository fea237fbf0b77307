"""One round of the loop: a labeling-set run, its answers, the upload that imports them, and how well Glue then matches."""

import json
import threading
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from findmatches.metrics import pairwise_f1
from label_loop.api import ApiClient, Response
from local.cloud.stack import Stack
from local.demo.console import Reporter, StepFailed, check
from local.sample_table import Records

FINAL_STATUSES = {"SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT", "REFUSED", "START_FAILED", "CANCELLED", "LOST"}
ACCEPTED, CONFLICT = 202, 409
Answerer = Callable[[str], str]


@dataclass(frozen=True)
class DemoContext:
    """What every step needs. `folder` keeps a copy of each file for the person to look at."""

    stack: Stack
    api: ApiClient
    show: Reporter
    records: Records
    transform_id: str
    folder: Path

    @property
    def output_s3_path(self) -> str:
        return f"s3://{self.stack.bucket}/labeling-sets/"


@dataclass(frozen=True)
class Score:
    """`held_out`: F1 that Glue's evaluation found; `whole_table`: against the truth, None where that is unknown."""

    labels: int
    held_out: float
    whole_table: float | None


def start_with_duplicates(demo: DemoContext) -> str:
    """The same request twice at once, and once again: one run. Returns its id."""

    def send() -> Response:
        return demo.api.start_labeling_set_run("round-1", demo.transform_id, demo.output_s3_path)

    first, second = _at_once(send)
    for answer in (first, second):
        check(answer.status in (ACCEPTED, CONFLICT), "202, or 409 while the first is in flight", answer)
    accepted = [answer for answer in (first, second) if answer.status == ACCEPTED]
    check(bool(accepted), "one of two equal requests to be accepted", (first, second))
    demo.show.fact(f"twice at once: {_told(first)} and {_told(second)}")
    again = demo.show.wait_for("sent once more, after both", lambda: answer if (answer := send()).status != CONFLICT else None)
    check(again.status == ACCEPTED and again.headers.get("idempotency-replayed") == "true", "a replay", again)
    ids = {answer.body["id"] for answer in (*accepted, again)}
    check(len(ids) == 1, "the same run in every answer", ids)
    started = demo.stack.client("glue").get_ml_task_runs(TransformId=demo.transform_id)["TaskRuns"]
    check(len(started) == 1, "one task run in Glue", started)
    demo.show.fact(f"Glue knows 1 task run: {started[0]['TaskRunId']}")
    return str(again.body["id"])


def start_labeling_set_run(demo: DemoContext, number: int) -> str:
    answer = demo.api.start_labeling_set_run(f"round-{number}", demo.transform_id, demo.output_s3_path)
    check(answer.status == ACCEPTED, "202", answer)
    return str(answer.body["id"])


def download_labeling_set(demo: DemoContext, run_id: str, number: int) -> str:
    """Wait until the reconciler has seen the run succeed, and read the file that it wrote."""
    run = demo.show.wait_for("the reconciler sees the run end", lambda: _ended(demo.api.get_task_run(run_id)))
    check(run["status"] == "SUCCEEDED", "a run that succeeded", run)
    bucket, _, prefix = run["outputS3Path"].removeprefix("s3://").partition("/")
    s3 = demo.stack.client("s3")
    files = [item["Key"] for item in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]
    check(len(files) == 1, f"one file under {run['outputS3Path']}", files)
    text = s3.get_object(Bucket=bucket, Key=files[0])["Body"].read().decode()
    (demo.folder / f"round-{number}-labeling-set.csv").write_text(text)
    return str(text)


def upload_labels(demo: DemoContext, answers: str, number: int) -> None:
    """Upload the answered file, which starts its import, and wait until the reconciler has seen that succeed."""
    (demo.folder / f"round-{number}-labels.csv").write_text(answers)
    key = f"labels/{demo.transform_id}/round-{number}.csv"
    demo.stack.client("s3").put_object(Bucket=demo.stack.bucket, Key=key, Body=answers.encode())
    path = f"s3://{demo.stack.bucket}/{key}"
    run = demo.show.wait_for(f"the upload of {path} is imported", lambda: _import_of(demo, path))
    check(run["status"] == "SUCCEEDED", "an import that succeeded", run)


def evaluate(demo: DemoContext, number: int) -> Score:
    """An evaluation task run by plain boto3, and, where the truth is known, the whole table matched."""
    glue = demo.stack.client("glue")
    run_id = glue.start_ml_evaluation_task_run(TransformId=demo.transform_id)["TaskRunId"]
    _glue_run_ends(demo, glue, "Glue evaluates", run_id)
    transform = glue.get_ml_transform(TransformId=demo.transform_id)
    held_out = float(transform["EvaluationMetrics"]["FindMatchesMetrics"]["F1"])
    whole = None
    if (truth := demo.records.truth) is not None:
        run_id = _start_matching(demo, number)
        _glue_run_ends(demo, glue, "Glue matches the whole table", run_id)
        match_ids = _match_ids(demo, number)
        whole = pairwise_f1(list(match_ids.values()), [truth[key] for key in match_ids])
    score = Score(int(transform["LabelCount"]), held_out, whole)
    check(score.labels > 0 and 0 <= held_out <= 1, "labels and an F1 between 0 and 1", score)
    against = "" if whole is None else f"; against the truth, on the whole table: {whole:.4f}"
    demo.show.fact(f"{score.labels} labels, F1 {held_out:.4f} on held-out labels{against}")
    return score


def _at_once(send: Callable[[], Response]) -> tuple[Response, Response]:
    answers: list[Response] = []
    threads = [threading.Thread(target=lambda: answers.append(send())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(answers) != len(threads):
        raise StepFailed("one of two requests sent at once was not answered")
    return answers[0], answers[1]


def _told(answer: Response) -> str:
    replayed = ", a replay" if answer.headers.get("idempotency-replayed") == "true" else ""
    return f"{answer.status} ({answer.body.get('id') or answer.body.get('title')}{replayed})"


def _ended(answer: Response) -> Mapping[str, Any] | None:
    return answer.body if answer.body and answer.body.get("status") in FINAL_STATUSES else None


def _import_of(demo: DemoContext, path: str) -> Mapping[str, Any] | None:
    listed = demo.api.list_task_runs(transformId=demo.transform_id, taskType="IMPORT_LABELS")
    check(listed.status == 200, "200", listed)  # noqa: PLR2004 - HTTP's OK
    runs = [run for run in listed.body["items"] if run["inputS3Path"] == path]
    check(len(runs) <= 1, "one import per upload", runs)
    return runs[0] if runs and runs[0]["status"] in FINAL_STATUSES else None


def _glue_run_ends(demo: DemoContext, glue: Any, what: str, run_id: str) -> None:  # noqa: ANN401 - boto3's client
    def look() -> Mapping[str, Any] | None:
        run: Mapping[str, Any] = glue.get_ml_task_run(TransformId=demo.transform_id, TaskRunId=run_id)
        return run if run["Status"] in FINAL_STATUSES else None

    run = demo.show.wait_for(what, look)
    check(run["Status"] == "SUCCEEDED", f"{what}: a run that succeeded", run)


def _start_matching(demo: DemoContext, number: int) -> str:
    """In AWS a Glue job applies the transform; the local engine has a command for it."""
    asked = {"TransformId": demo.transform_id, "OutputS3Path": f"s3://{demo.stack.bucket}/matches/{number}/"}
    request = urllib.request.Request(  # noqa: S310 - our own process
        f"{demo.stack.glue_endpoint_url}/_glue/match-runs",
        data=json.dumps({**asked, "Format": "json"}).encode(),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own process
        return str(json.load(answer)["TaskRunId"])


def _match_ids(demo: DemoContext, number: int) -> dict[str, str]:
    s3, prefix = demo.stack.client("s3"), f"matches/{number}/"
    groups: dict[str, str] = {}
    for item in s3.list_objects_v2(Bucket=demo.stack.bucket, Prefix=prefix).get("Contents", []):
        text = s3.get_object(Bucket=demo.stack.bucket, Key=item["Key"])["Body"].read().decode()
        (demo.folder / f"round-{number}-matches.jsonl").write_text(text)
        for line in filter(None, text.split("\n")):
            row = json.loads(line)
            groups[row[demo.records.primary_key]] = str(row["match_id"])
    check(len(groups) == len(demo.records.rows), f"a match id for each of {len(demo.records.rows)} rows", len(groups))
    return groups
