"""Runs cases in batches: run each, reconcile until nothing is open, deliver the stream, check the invariants."""

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from core.ports import Dependencies
from local.demo.event_listener import EVENT_SOURCE
from tests.chaos.case_run import CaseRun, queue_item_id, unchanged
from tests.chaos.cases import Case
from tests.chaos.cloud import ChaosCloud
from tests.chaos.handler_runs import HandlerRun, run_at_once
from tests.chaos.invariants import check_invariants
from tests.chaos.ledger_stream import LedgerStream
from tests.chaos.violation import Violation

# Reconciles, in seconds after the case began: repeatedly past the lease and the grace period; then past the start deadline.
_RECONCILE_SECONDS = (*(first + 80 * number for number in range(8) for first in (170, 185)), 1200, 1215, 1280, 1295)
_MAX_RECORDS = 100  # of one delivery
_MAX_DELIVERIES = 20  # of the same records while they fail; the deployed stream tries more often
_BUS_TIMEOUT_SECONDS = 30
_BUS_QUIET_SECONDS = 0.5  # the bus delivers within milliseconds


@dataclass(frozen=True)
class Report:
    """`fault_met` is False if the handler did not make the call with the fault: another path may make fewer calls."""

    case: str
    fault_met: bool
    violations: tuple[Violation, ...]


class CaseRunner:
    """Runs `size` cases at a time, each on a transform of this runner."""

    def __init__(
        self,
        cloud: ChaosCloud,
        name: str,
        size: int,
        change_dependencies: Callable[[Dependencies], Dependencies] = unchanged,
    ) -> None:
        self._cloud = cloud
        self._transforms = [cloud.transform(f"{name}-{number}") for number in range(size)]
        self._change_dependencies = change_dependencies
        self._event_queue_url = _subscribe(cloud, name, self._transforms)
        self._stream = LedgerStream(cloud.client("dynamodb"), cloud.client("dynamodbstreams"), cloud.table)

    def run_all(
        self, cases: Sequence[Case], *, settle: bool = True, deliver: bool = True, until: float = inf
    ) -> Iterator[Report]:
        """Each case's report; no batch begins after `until` (monotonic seconds).

        `settle=False` runs no reconciler, `deliver=False` no stream: the harness must then find stuck runs, or lost events.
        """
        for first in range(0, len(cases), len(self._transforms)):
            if time.monotonic() > until:
                return
            batch = cases[first : first + len(self._transforms)]
            case_runs = [
                CaseRun(self._cloud, self._stream, transform, case.scenario, case, self._change_dependencies)
                for transform, case in zip(self._transforms, batch, strict=False)
            ]
            yield from self._run_batch(case_runs, settle=settle, deliver=deliver)

    def _run_batch(self, case_runs: Sequence[CaseRun], *, settle: bool, deliver: bool) -> Iterator[Report]:
        for case_run in case_runs:
            case_run.run()
            self._cloud.release(case_run.transform_id)
        if settle:
            self._settle(case_runs)
        if deliver:
            self._deliver(case_runs)
        for case_run, violations in zip(case_runs, self._violations(case_runs, wait_for_bus=deliver), strict=True):
            fault_met = case_run.target is not None and case_run.target.fault_met
            yield Report(str(case_run.case), fault_met, tuple(violations))
            self._clear(case_run)
        self._stream.forget()

    def _settle(self, case_runs: Sequence[CaseRun]) -> None:
        transforms = frozenset(case_run.transform_id for case_run in case_runs)
        for at in _RECONCILE_SECONDS:
            for case_run in case_runs:
                case_run.environment.await_glue()
            # Always two reconcilers at the same time: the service must not depend on there being only one.
            tick = HandlerRun("schedule", {}, at, only=transforms)
            outcomes = run_at_once([tick, tick], self._change_dependencies)
            if all(outcome.answer and outcome.answer["transforms"] == 0 for outcome in outcomes):
                return

    def _deliver(self, case_runs: Sequence[CaseRun]) -> None:
        """Deliver the stream's records, then once more in reverse order."""
        records = [record for case_run in case_runs for record in self._stream.records(case_run.transform_id)]
        for delivered in (records, records[::-1]):
            for first in range(0, len(delivered), _MAX_RECORDS):
                run = HandlerRun("announce", {"Records": delivered[first : first + _MAX_RECORDS]})
                for _ in range(_MAX_DELIVERIES):
                    (outcome,) = run_at_once([run], self._change_dependencies)
                    if outcome.answer == {"batchItemFailures": []}:
                        break

    def _violations(self, case_runs: Sequence[CaseRun], *, wait_for_bus: bool) -> list[list[Violation]]:
        """The violations of each. An event counts as lost only after a busy machine's bus had time to deliver it."""
        events: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        until = time.monotonic() + (_BUS_TIMEOUT_SECONDS if wait_for_bus else 0)
        while True:
            self._receive(events)
            by_run = [check_invariants(case_run, events[case_run.transform_id]) for case_run in case_runs]
            any_lost = any(violation.invariant == "lost" for violations in by_run for violation in violations)
            if time.monotonic() > until or not any_lost:
                return by_run

    def _receive(self, events: dict[str, list[Mapping[str, Any]]]) -> None:
        """Add the events that the bus has delivered since the last call, by transform id."""
        sqs = self._cloud.client("sqs")
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < _BUS_QUIET_SECONDS:
            messages = sqs.receive_message(QueueUrl=self._event_queue_url, MaxNumberOfMessages=10).get("Messages", [])
            if not messages:
                time.sleep(0.05)
                continue
            quiet_since = time.monotonic()
            entries = [{"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]} for n, message in enumerate(messages)]
            sqs.delete_message_batch(QueueUrl=self._event_queue_url, Entries=entries)
            for message in messages:
                event = json.loads(message["Body"])
                events[event["detail"]["data"]["transformId"]].append(event)

    def _clear(self, case_run: CaseRun) -> None:
        """Delete the transform's items from the ledger, and its task runs from Glue, so that the next case can use it.

        To the next case they would be others', and others' evaluation within the clock skew may be taken for ours.
        """
        self._cloud.forget_task_runs(case_run.transform_id)
        dynamodb, table = self._cloud.client("dynamodb"), self._cloud.table
        for item_id in (*(item["id"] for item in case_run.items()), queue_item_id(case_run.transform_id)):
            dynamodb.delete_item(TableName=table, Key={"id": {"S": item_id}})


def _subscribe(cloud: ChaosCloud, name: str, transforms: Sequence[str]) -> str:
    """The URL of a new queue that receives the transforms' events."""
    sqs, events = cloud.client("sqs"), cloud.client("events")
    url: str = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {"source": [EVENT_SOURCE], "detail": {"data": {"transformId": list(transforms)}}}
    bus = cloud.stack.env["EVENT_BUS_NAME"]
    events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
    return url
