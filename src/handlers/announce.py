"""The ledger's stream in, events out: announces changes of runs on the bus."""

from typing import Any, Protocol

from aws_lambda_powertools.utilities.typing import LambdaContext

from core.announce import Bus, Change, Event, events_of, publish
from core.aws.items import from_item, is_run
from handlers import metrics, wiring

Record = dict[str, Any]


class DeadLetters(Protocol):
    def put(self, record: Record) -> bool:
        """Whether the record is stored."""


def handler(
    event: dict[str, Any], context: LambdaContext, bus: Bus | None = None, dead_letters: DeadLetters | None = None
) -> dict[str, list[dict[str, str]]]:
    """Announce a batch of changes, and return the sequence numbers that the stream must deliver again.

    A change that can never be announced would be delivered again with all that follow it, and hold up its shard. It goes to the
    dead-letter queue alone instead; a batch of `make redrive` (`"redrive": true`) comes from there, and reports it.
    """
    changes, events, unreadable = _read(event["Records"])
    unpublished = publish(events, bus or wiring.bus(context))
    final = [*unreadable, *unpublished.final]
    if final and not event.get("redrive") and (queue := dead_letters or wiring.dead_letters()):
        records = {record["dynamodb"]["SequenceNumber"]: record for record in event["Records"]}
        final = [number for number in final if not queue.put(records[number])]
    failed = [*unpublished.retry, *final]
    metrics.count_ended_runs(changes, failed)
    return {"batchItemFailures": [{"itemIdentifier": sequence_number} for sequence_number in failed]}


def _read(records: list[Record]) -> tuple[list[Change], list[Event], list[str]]:
    """The changes of runs, their events, and the sequence numbers of records that cannot be read."""
    changes: list[Change] = []
    events: list[Event] = []
    unreadable: list[str] = []
    for record in records:
        try:
            if is_run(record["dynamodb"].get("NewImage", {})):
                change = _change(record)
                events += events_of(change)
                changes.append(change)
        except Exception as error:  # noqa: BLE001  whatever is wrong with one record must not stop the others
            number = record["dynamodb"]["SequenceNumber"]
            extra = {"sequenceNumber": number, "cause": type(error).__name__}
            wiring.logger().error("CHANGE_UNREADABLE", extra=extra)
            unreadable.append(number)
    return changes, events, unreadable


def _change(record: Record) -> Change:
    images = record["dynamodb"]
    old = images.get("OldImage")
    return Change(images["SequenceNumber"], from_item(old) if old else None, from_item(images["NewImage"]))
