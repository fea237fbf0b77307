"""Many cases, batch by batch: play them, let time settle them, deliver the stream, and judge."""

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from core.ports import Dependencies
from local.demo.event_listener import SOURCE
from tests.chaos.case_run import CaseRun, unchanged
from tests.chaos.cases import Case
from tests.chaos.cloud import Ground
from tests.chaos.handler_runs import HandlerRun, run_at_once
from tests.chaos.stream import LedgerStream
from tests.chaos.verdict import judge
from tests.chaos.violation import Violation

# Seconds after a case began: past the lease, then past the grace period, again and again; and past the start deadline.
_ROUNDS = (*(first + 80 * number for number in range(8) for first in (170, 185)), 1200, 1215, 1280, 1295)
_DELIVERED_AT_ONCE = 100
_MOST_DELIVERIES = 20  # of the same changes, while they fail; the deployed stream tries more often
_BUS_PATIENCE_SECONDS = 30


@dataclass(frozen=True)
class Report:
    case: str
    met: bool  # whether the fault was met at all: another way through the code may make fewer calls
    violations: tuple[Violation, ...]


class CaseRunner:
    """Plays cases on `size` transforms of its own."""

    def __init__(
        self, ground: Ground, name: str, size: int, change_world: Callable[[Dependencies], Dependencies] = unchanged
    ) -> None:
        self._ground = ground
        self._transforms = [ground.transform(f"{name}-{number}") for number in range(size)]
        self._change_world = change_world
        self._queue = _listen(ground, name, self._transforms)
        streams = ground.client("dynamodbstreams")
        self._stream = LedgerStream(ground.client("dynamodb"), streams, ground.table)

    def play_all(
        self, cases: Sequence[Case], *, settle: bool = True, deliver: bool = True, until: float = inf
    ) -> Iterator[Report]:
        """Each case's report; none is begun after `until` (monotonic seconds).

        Without the reconciler, or the stream, the harness has to find stuck runs, or lost events.
        """
        for first in range(0, len(cases), len(self._transforms)):
            if time.monotonic() > until:
                return
            batch = cases[first : first + len(self._transforms)]
            plays = [
                CaseRun(self._ground, self._stream, transform, case.scene, case, self._change_world)
                for transform, case in zip(self._transforms, batch, strict=False)
            ]
            yield from self._play_batch(plays, settle=settle, deliver=deliver)

    def _play_batch(self, plays: Sequence[CaseRun], *, settle: bool, deliver: bool) -> Iterator[Report]:
        for play in plays:
            play.perform()
            self._ground.release(play.transform_id)
        if settle:
            self._settle(plays)
        if deliver:
            self._deliver(plays)
        for play, violations in zip(plays, self._judged(plays, patient=deliver), strict=True):
            met = play.target is not None and play.target.fault_met
            yield Report(str(play.case), met, tuple(violations))
            self._clear(play)
        self._stream.forget()

    def _settle(self, plays: Sequence[CaseRun]) -> None:
        everybody = frozenset(play.transform_id for play in plays)
        for at in _ROUNDS:
            for play in plays:
                play.surroundings.await_glue()
            # Two reconcilers at the same time, always: the promise does not rest on there being one.
            tick = HandlerRun("schedule", {}, at, only=everybody)
            outcomes = run_at_once([tick, tick], self._change_world)
            if all(outcome.answer and outcome.answer["transforms"] == 0 for outcome in outcomes):
                return

    def _deliver(self, plays: Sequence[CaseRun]) -> None:
        """The stream, and the stream once more, backwards."""
        records = [record for play in plays for record in self._stream.records(play.transform_id)]
        for again in (records, records[::-1]):
            for first in range(0, len(again), _DELIVERED_AT_ONCE):
                run = HandlerRun("announce", {"Records": again[first : first + _DELIVERED_AT_ONCE]})
                for _ in range(_MOST_DELIVERIES):
                    (outcome,) = run_at_once([run], self._change_world)
                    if outcome.answer == {"batchItemFailures": []}:
                        break

    def _judged(self, plays: Sequence[CaseRun], *, patient: bool) -> list[list[Violation]]:
        """Each play's violations; an event counts as lost only after the bus, on a busy machine, had time to bring it."""
        heard: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        until = time.monotonic() + (_BUS_PATIENCE_SECONDS if patient else 0)
        while True:
            self._hear(heard)
            found = [judge(play, heard[play.transform_id]) for play in plays]
            if time.monotonic() > until or not any(one.what == "lost" for violations in found for one in violations):
                return found

    def _hear(self, heard: dict[str, list[Mapping[str, Any]]]) -> None:
        """Add what consumers of the bus got since the last time, by transform."""
        sqs = self._ground.client("sqs")
        quiet_since = time.monotonic()
        while time.monotonic() - quiet_since < 0.5:  # seconds; the bus delivers within milliseconds
            messages = sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages", [])
            if not messages:
                time.sleep(0.05)
                continue
            quiet_since = time.monotonic()
            entries = [{"Id": str(number), "ReceiptHandle": one["ReceiptHandle"]} for number, one in enumerate(messages)]
            sqs.delete_message_batch(QueueUrl=self._queue, Entries=entries)
            for one in messages:
                event = json.loads(one["Body"])
                heard[event["detail"]["data"]["transformId"]].append(event)

    def _clear(self, play: CaseRun) -> None:
        """Leave the transform as it was, for the next case."""
        dynamodb, table = self._ground.client("dynamodb"), self._ground.table
        for item_id in (*(item["id"] for item in play.items()), f"line#{play.transform_id}"):
            dynamodb.delete_item(TableName=table, Key={"id": {"S": item_id}})


def _listen(ground: Ground, name: str, transforms: Sequence[str]) -> str:
    sqs, bus = ground.client("sqs"), ground.client("events")
    url: str = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {"source": [SOURCE], "detail": {"data": {"transformId": list(transforms)}}}
    where = ground.stack.env["EVENT_BUS_NAME"]
    bus.put_rule(Name=name, EventBusName=where, EventPattern=json.dumps(pattern))
    bus.put_targets(Rule=name, EventBusName=where, Targets=[{"Id": "queue", "Arn": arn}])
    return url
