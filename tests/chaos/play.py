"""One case on stage: its messages go through the handlers in processes of their own, in the order that the case says."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from core.ports import World
from tests.chaos.cases import Action, Case, Scene, Stage
from tests.chaos.cloud import LABELS, Ground
from tests.chaos.handler_runs import HandlerRun, Outcome, run_at_once
from tests.chaos.requests import cancellation, message
from tests.chaos.stream import LedgerStream

GLUE_RUNS_BY_HAND = "by-hand"
_FINISH_SECONDS = 20
_ACTIVE = ("STARTING", "RUNNING", "STOPPING")


def unchanged(world: World) -> World:
    return world


@dataclass
class Play:
    """A case, the transform that it has for itself meanwhile, and what came of it so far."""

    ground: Ground
    stream: LedgerStream
    transform_id: str
    scene: Scene
    case: Case | None = None
    change_world: Callable[[World], World] = unchanged
    key: str = field(default_factory=lambda: uuid4().hex)
    sent: list[Outcome] = field(default_factory=list)
    others: list[Outcome] = field(default_factory=list)
    target: Outcome | None = None

    def __post_init__(self) -> None:
        self.began = time.time()
        self._label_file = self._upload(self.key)

    def perform(self) -> None:
        before = self.scene.before
        for number, stage in enumerate(self.case.stages if self.case else (*before, (self.scene.target,))):
            outcomes = self.enact(stage)
            if number == len(before):
                (self.target,) = outcomes

    def enact(self, stage: Stage) -> list[Outcome]:
        runs = [(action, run) for action in stage if (run := self._handler_run(action)) is not None]
        outcomes = run_at_once([run for _, run in runs], self.change_world) if runs else []
        for (action, _), outcome in zip(runs, outcomes, strict=True):
            (self.sent if action.what in ("send", "open import") else self.others).append(outcome)
        return outcomes

    def items(self) -> list[dict[str, Any]]:
        """The ledger's items of the transform, as plain values."""
        answer = self.ground.client("dynamodb").query(
            TableName=self.ground.table,
            IndexName="byTransform",
            KeyConditionExpression="transformId = :transform",
            ExpressionAttributeValues={":transform": {"S": self.transform_id}},
        )
        return [{name: next(iter(value.values())) for name, value in item.items()} for item in answer["Items"]]

    def line(self) -> dict[str, Any]:
        key = {"id": {"S": f"line#{self.transform_id}"}}
        found: dict[str, Any] = self.ground.client("dynamodb").get_item(TableName=self.ground.table, Key=key).get("Item", {})
        return found

    def glue_runs(self) -> list[dict[str, Any]]:
        """The task runs that Glue has for the transform, but for those that somebody started by hand."""
        listed = self.ground.client("glue").get_ml_task_runs(TransformId=self.transform_id, MaxResults=1000)["TaskRuns"]
        ours = [run for run in listed if GLUE_RUNS_BY_HAND not in path_of(run)]
        return [run for run in ours if run["StartedOn"].timestamp() > self.began]  # else of an earlier case

    def await_glue(self) -> None:
        """Let Glue bring everything to its end that nobody holds."""
        until = time.monotonic() + _FINISH_SECONDS
        while any(run["Status"] in _ACTIVE for run in self.glue_runs()) and time.monotonic() < until:
            time.sleep(0.02)

    def _handler_run(self, action: Action) -> HandlerRun | None:
        match action.what:
            case "send":
                door = "api" if self.scene.via.startswith("api") else "bus"
                return HandlerRun(door, self._message(), action.at, action.fault)  # type: ignore[arg-type]  # one of two
            case "open import":
                self.ground.hold(self.transform_id)
                label_file = self._upload(f"{self.key}-other")
                other = message("api import", f"{self.key}-other", self.transform_id, "", label_file)
                return HandlerRun("api", other, action.at, action.fault)
            case "tick":
                return HandlerRun("schedule", {}, action.at, action.fault, only=frozenset({self.transform_id}))
            case "cancel":
                (item,) = self.items() or [{"id": "0" * 32}]
                return HandlerRun("api", cancellation(item["id"]), action.at, action.fault)
            case "announce":
                return HandlerRun("announce", {"Records": self.stream.records(self.transform_id)}, action.at, action.fault)
            case _:
                self._in_glue(action)
                return None

    def _in_glue(self, action: Action) -> None:
        match action.what:
            case "hold":
                self.ground.hold(self.transform_id)
            case "fill":
                self.ground.hold(self.transform_id)
                for _ in range(3):
                    path = self.ground.s3_path(f"{GLUE_RUNS_BY_HAND}/")
                    start = self.ground.client("glue").start_ml_labeling_set_generation_task_run
                    start(TransformId=self.transform_id, OutputS3Path=path)
            case "release":
                self.ground.release(self.transform_id)
            case "let Glue finish":
                self.await_glue()

    def _message(self) -> dict[str, Any]:
        output = self.ground.s3_path(f"sets/{self.key}")
        return message(self.scene.via, self.key, self.transform_id, output, self._label_file)

    def _upload(self, name: str) -> tuple[str, str]:
        key = f"labels/{self.transform_id}/{name}.csv"
        put = self.ground.client("s3").put_object(Bucket=self.ground.stack.bucket, Key=key, Body=LABELS.encode())
        return self.ground.s3_path(key), put["ETag"].strip('"')


def path_of(run: dict[str, Any]) -> str:
    properties = run["Properties"]
    labeling = properties.get("LabelingSetGenerationTaskRunProperties", {}).get("OutputS3Path")
    return str(labeling or properties.get("ImportLabelsTaskRunProperties", {}).get("InputS3Path", ""))
