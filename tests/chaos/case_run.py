"""One case on stage: its messages go through the handlers in processes of their own, in the order that the case says."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from core.ports import Dependencies
from tests.chaos.cases import Action, Case, Scenario, Stage
from tests.chaos.cloud import Ground
from tests.chaos.environment import Environment
from tests.chaos.handler_runs import HandlerRun, Outcome, run_at_once
from tests.chaos.requests import cancellation, message
from tests.chaos.stream import LedgerStream


def unchanged(deps: Dependencies) -> Dependencies:
    return deps


@dataclass
class CaseRun:
    """A case, the transform that it has for itself meanwhile, and what came of it so far."""

    ground: Ground
    stream: LedgerStream
    transform_id: str
    scene: Scenario
    case: Case | None = None
    change_world: Callable[[Dependencies], Dependencies] = unchanged
    key: str = field(default_factory=lambda: uuid4().hex)
    sent: list[Outcome] = field(default_factory=list)
    others: list[Outcome] = field(default_factory=list)
    target: Outcome | None = None

    def __post_init__(self) -> None:
        self.began = time.time()
        self.surroundings = Environment(self.ground, self.transform_id, self.key)

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
        """The task runs that Glue has of this case."""
        return [run for run in self.surroundings.glue_runs() if run["StartedOn"].timestamp() > self.began]

    def _handler_run(self, action: Action) -> HandlerRun | None:
        match action.what:
            case "send":
                door = "api" if self.scene.via.startswith("api") else "bus"
                return HandlerRun(door, self._message(), action.at, action.fault)  # type: ignore[arg-type]  # one of two
            case "open import":
                self.ground.hold(self.transform_id)
                label_file = self.surroundings.upload(f"labels/{self.transform_id}/{self.key}-other.csv")
                other = message("api import", f"{self.key}-other", self.transform_id, "", label_file)
                return HandlerRun("api", other, action.at, action.fault)
            case "tick":
                return HandlerRun("schedule", {}, action.at, action.fault, only=frozenset({self.transform_id}))
            case "cancel":
                (item,) = self.items() or [{"id": "0" * 32}]
                return HandlerRun("api", cancellation(item["id"]), action.at, action.fault)
            case "announce":
                return HandlerRun("announce", {"Records": self.stream.records(self.transform_id)}, action.at, action.fault)
            case what:
                self.surroundings.arrange(what)
                return None

    def _message(self) -> dict[str, Any]:
        output = self.ground.s3_path(f"sets/{self.key}")
        return message(self.scene.via, self.key, self.transform_id, output, self.surroundings.label_file)
