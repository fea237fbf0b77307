"""Match the whole table, and compare its matches with the truth."""

import json
import urllib.request
from collections.abc import Mapping
from typing import Any

from findmatches.metrics import pairwise_f1
from local.cloud.local_http import send_locally
from local.demo.console import check
from local.demo.context import DemoContext

FINAL_STATUSES = {"SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT"}
REQUEST_TIMEOUT_SECONDS = 30


def match_whole_table(demo: DemoContext, number: int, truth: Mapping[str, str]) -> float:
    """The F1 of the table's matches after round `number`. `truth`: the entity of each row, by primary key."""
    _wait_for_glue(demo, "Glue matches the whole table", _start_matching(demo, number))
    match_ids = _download_match_ids(demo, number)
    return pairwise_f1(list(match_ids.values()), [truth[key] for key in match_ids])


def _wait_for_glue(demo: DemoContext, action: str, run_id: str) -> None:
    glue = demo.stack.client("glue")

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
