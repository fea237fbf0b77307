"""Many requests for one transform, and reconcilers, in processes of their own, on the local cloud."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any
from uuid import uuid4

from tests.chaos.cloud import LABELS, Ground
from tests.chaos.environment import ACTIVE, path_of
from tests.chaos.handler_runs import HandlerRun, Outcome, run_at_once
from tests.chaos.requests import message


@dataclass
class Crowd:
    ground: Ground
    transform: str

    def label_file(self) -> tuple[str, str]:
        key = f"labels/{self.transform}/{uuid4().hex}.csv"
        put = self.ground.client("s3").put_object(Bucket=self.ground.stack.bucket, Key=key, Body=LABELS.encode())
        return self.ground.s3_path(key), put["ETag"].strip('"')

    def labeling_set(self) -> HandlerRun:
        return HandlerRun("api", message("api labeling set", uuid4().hex, self.transform, self.ground.s3_path("s/"), ("", "")))

    def imported(self) -> HandlerRun:
        return self.imported_from(self.label_file())

    def imported_from(self, label_file: tuple[str, str]) -> HandlerRun:
        return HandlerRun("api", message("api import", uuid4().hex, self.transform, "", label_file))

    def reconcile(self, at: float = 0, times: int = 2) -> list[Outcome]:
        return run_at_once([HandlerRun("schedule", {}, at, only=frozenset({self.transform}))] * times)

    def items(self) -> list[dict[str, str]]:
        """The transform's runs in the ledger, in the order of acceptance."""
        pages = (
            self.ground.client("dynamodb")
            .get_paginator("query")
            .paginate(
                TableName=self.ground.table,
                IndexName="byTransform",
                KeyConditionExpression="transformId = :transform",
                ExpressionAttributeValues={":transform": {"S": self.transform}},
            )
        )
        return [{name: next(iter(value.values())) for name, value in item.items()} for page in pages for item in page["Items"]]

    def glue_runs(self) -> list[dict[str, Any]]:
        """All of Glue's task runs of the transform, oldest first."""
        glue, arguments, found = self.ground.client("glue"), {"TransformId": self.transform, "MaxResults": 1000}, []
        while True:
            page = glue.get_ml_task_runs(**arguments, Sort={"Column": "STARTED", "SortDirection": "ASCENDING"})
            found += page["TaskRuns"]
            if "NextToken" not in page:
                return found
            arguments["NextToken"] = page["NextToken"]

    def running(self) -> int:
        return sum(run["Status"] in ACTIVE for run in self.glue_runs())

    def let_glue_finish(self) -> None:
        """Release what is held for a moment, until nothing runs, and hold again."""
        self.ground.release(self.transform)
        until = time.monotonic() + 30
        while self.running() and time.monotonic() < until:
            time.sleep(0.02)
        self.ground.hold(self.transform)


def most_at_once(spans: Iterable[tuple[float, float]]) -> int:
    """How many of the spans (from, to) overlap where most of them do."""
    steps = sorted(step for begin, end in spans for step in ((end, -1), (begin, 1)))
    return max(accumulate(step for _, step in steps), default=0)


def statuses(outcomes: Sequence[Outcome]) -> list[int]:
    return [outcome.answer["statusCode"] for outcome in outcomes]


def paths(runs: Sequence[dict[str, Any]]) -> list[str]:
    return [path_of(run) for run in runs]
