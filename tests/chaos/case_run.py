"""One run of a case: its messages go through the handlers, each in its own process, in the case's order."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from core.ports import Dependencies
from tests.chaos.cases import Action, Case, Scenario, Step
from tests.chaos.cloud import ChaosCloud
from tests.chaos.environment import EVALUATION, Environment
from tests.chaos.handler_runs import HandlerName, HandlerRun, Outcome, run_at_once
from tests.chaos.ledger_stream import LedgerStream
from tests.chaos.requests import cancellation, message


def unchanged(deps: Dependencies) -> Dependencies:
    return deps


@dataclass
class CaseRun:
    """A case, the transform that it alone uses, and the outcomes so far.

    Without a `case`, the scenario runs without faults and follow-up. `target` is the outcome of the handler run that meets
    the fault.
    """

    cloud: ChaosCloud
    stream: LedgerStream
    transform_id: str
    scenario: Scenario
    case: Case | None = None
    change_dependencies: Callable[[Dependencies], Dependencies] = unchanged
    key: str = field(default_factory=lambda: uuid4().hex)
    request_outcomes: list[Outcome] = field(default_factory=list)
    other_outcomes: list[Outcome] = field(default_factory=list)
    target: Outcome | None = None

    def __post_init__(self) -> None:
        self.began = time.time()
        self.environment = Environment(self.cloud, self.transform_id, self.key)

    def run(self) -> None:
        before = self.scenario.before
        for number, step in enumerate(self.case.steps if self.case else (*before, (self.scenario.target,))):
            outcomes = self.run_step(step)
            if number == len(before):
                (self.target,) = outcomes

    def run_step(self, step: Step) -> list[Outcome]:
        runs = [(action, run) for action in step if (run := self._handler_run(action)) is not None]
        outcomes = run_at_once([run for _, run in runs], self.change_dependencies) if runs else []
        for (action, _), outcome in zip(runs, outcomes, strict=True):
            is_request = action.kind in ("send", "open import")
            (self.request_outcomes if is_request else self.other_outcomes).append(outcome)
        return outcomes

    def items(self) -> list[dict[str, Any]]:
        """The ledger's items of the transform, as plain values. The path of an evaluation is that of `path_of`."""
        response = self.cloud.client("dynamodb").query(
            TableName=self.cloud.table,
            IndexName="byTransform",
            KeyConditionExpression="transformId = :transform",
            ExpressionAttributeValues={":transform": {"S": self.transform_id}},
        )
        items = [{name: next(iter(value.values())) for name, value in item.items()} for item in response["Items"]]
        return [{"path": EVALUATION} | item for item in items]

    def queue_item(self) -> dict[str, Any]:
        """The ledger's item of the transform's queue, in DynamoDB's types; empty if there is none."""
        key = {"id": {"S": queue_item_id(self.transform_id)}}
        item: dict[str, Any] = self.cloud.client("dynamodb").get_item(TableName=self.cloud.table, Key=key).get("Item", {})
        return item

    def glue_runs(self) -> list[dict[str, Any]]:
        """Glue's task runs that this case started."""
        return [run for run in self.environment.glue_runs() if run["StartedOn"].timestamp() > self.began]

    def _handler_run(self, action: Action) -> HandlerRun | None:
        match action.kind:
            case "send":
                handler: HandlerName = "api" if self.scenario.request_kind.startswith("api") else "bus"
                return HandlerRun(handler, self._message(), action.at, action.fault)
            case "open import":
                self.cloud.hold(self.transform_id)
                label_file = self.environment.upload(f"labels/{self.transform_id}/{self.key}-other.csv")
                request = message("api import", f"{self.key}-other", self.transform_id, "", label_file)
                return HandlerRun("api", request, action.at, action.fault)
            case "tick":
                return HandlerRun("schedule", {}, action.at, action.fault, only=frozenset({self.transform_id}))
            case "cancel":
                (item,) = self.items() or [{"id": "0" * 32}]
                return HandlerRun("api", cancellation(item["id"]), action.at, action.fault)
            case "announce":
                return HandlerRun("announce", {"Records": self.stream.records(self.transform_id)}, action.at, action.fault)
            case change:
                self.environment.apply(change)
                return None

    def _message(self) -> dict[str, Any]:
        output = self.cloud.s3_path(f"sets/{self.key}")
        return message(self.scenario.request_kind, self.key, self.transform_id, output, self.environment.label_file)


def queue_item_id(transform_id: str) -> str:
    return f"line#{transform_id}"
