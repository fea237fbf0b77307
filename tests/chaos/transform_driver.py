"""Drives one transform in tests: requests, reconciles, and what the ledger and Glue then hold."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any
from uuid import uuid4

from tests.chaos.cloud import LABELS, ChaosCloud
from tests.chaos.environment import ACTIVE, path_of
from tests.chaos.handler_runs import HandlerRun, Outcome, run_at_once
from tests.chaos.requests import message

_FINISH_SECONDS = 30


@dataclass
class TransformDriver:
    cloud: ChaosCloud
    transform: str

    def upload_label_file(self) -> tuple[str, str]:
        """S3 path and ETag of a new label file."""
        key = f"labels/{self.transform}/{uuid4().hex}.csv"
        put = self.cloud.client("s3").put_object(Bucket=self.cloud.stack.bucket, Key=key, Body=LABELS.encode())
        return self.cloud.s3_path(key), put["ETag"].strip('"')

    def labeling_set_request(self) -> HandlerRun:
        output = self.cloud.s3_path("s/")
        return HandlerRun("api", message("api labeling set", uuid4().hex, self.transform, output, ("", "")))

    def import_request(self, label_file: tuple[str, str] | None = None) -> HandlerRun:
        """A request to import `label_file` (S3 path and ETag), or a new file."""
        file = label_file or self.upload_label_file()
        return HandlerRun("api", message("api import", uuid4().hex, self.transform, "", file))

    def reconcile(self, at: float = 0, times: int = 2) -> list[Outcome]:
        """Run `times` reconcilers at the same time, with their clocks `at` seconds ahead."""
        return run_at_once([HandlerRun("schedule", {}, at, only=frozenset({self.transform}))] * times)

    def queued_paths(self) -> list[str]:
        """The paths of the queued runs in the order in which the ledger accepted them, which is that of its queue item."""
        item = self.cloud.client("dynamodb").get_item(
            TableName=self.cloud.table, Key={"id": {"S": f"line#{self.transform}"}}, ConsistentRead=True
        )["Item"]
        path_of = {item["id"]: item["path"] for item in self.items()}
        return [path_of[entry["S"].rpartition("/")[2]] for entry in item["waiting"]["L"]]

    def items(self) -> list[dict[str, str]]:
        """The transform's runs in the ledger, by the time that the host of each noted; hosts' clocks differ."""
        pages = (
            self.cloud.client("dynamodb")
            .get_paginator("query")
            .paginate(
                TableName=self.cloud.table,
                IndexName="byTransform",
                KeyConditionExpression="transformId = :transform",
                ExpressionAttributeValues={":transform": {"S": self.transform}},
            )
        )
        return [{name: next(iter(value.values())) for name, value in item.items()} for page in pages for item in page["Items"]]

    def glue_runs(self) -> list[dict[str, Any]]:
        """All of Glue's task runs of the transform, oldest first."""
        glue, arguments, runs = self.cloud.client("glue"), {"TransformId": self.transform, "MaxResults": 1000}, []
        while True:
            page = glue.get_ml_task_runs(**arguments, Sort={"Column": "STARTED", "SortDirection": "ASCENDING"})
            runs += page["TaskRuns"]
            if "NextToken" not in page:
                return runs
            arguments["NextToken"] = page["NextToken"]

    def count_running(self) -> int:
        return sum(run["Status"] in ACTIVE for run in self.glue_runs())

    def let_glue_finish(self) -> None:
        """Release the held task runs until none is running, then hold new ones again."""
        self.cloud.release(self.transform)
        until = time.monotonic() + _FINISH_SECONDS
        while self.count_running() and time.monotonic() < until:
            time.sleep(0.02)
        self.cloud.hold(self.transform)


def max_concurrent(spans: Iterable[tuple[float, float]]) -> int:
    """The largest number of spans (begin, end) that overlap at one moment."""
    steps = sorted(step for begin, end in spans for step in ((end, -1), (begin, 1)))
    return max(accumulate(step for _, step in steps), default=0)


def status_codes(outcomes: Sequence[Outcome]) -> list[int]:
    return [outcome.answer["statusCode"] for outcome in outcomes]


def paths(runs: Sequence[dict[str, Any]]) -> list[str]:
    return [path_of(run) for run in runs]
