"""`make redrive`: send the messages of the dead-letter queues through their functions again.

A message is deleted only after its function has processed it; otherwise it stays on its queue. Runs, keys and event ids come
from the ledger, so that processing a message twice changes nothing.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ops.redrive.stack import Deployed, FunctionFailed
from ops.redrive.stream_records import RecordsGone, RecordsUnread, as_inserts, runs_changed_in, stream_records

_VISIBILITY_TIMEOUT_SECONDS = 330  # longer than the slowest function
_MAX_BODY_CHARS = 300  # of a message that is printed
_MAX_LISTED_RUNS = 20
_MAX_RECORDS = 100  # of one invocation
Print = Callable[[str], None]


class NotPublished(Exception):
    """The announce function reported failed records; the text says how many."""


# After these, the message stays on its queue.
_KEEP = (NotPublished, RecordsUnread, FunctionFailed, ClientError, BotoCoreError, ValueError, KeyError, TypeError)


@dataclass
class Tally:
    """`sent`: messages that were processed and deleted. `kept`: "queue message-id" of those that stay."""

    sent: int = 0
    kept: list[str] = field(default_factory=list)


def redrive(deployed: Deployed, queues: Sequence[str], output: Print, *, dry_run: bool = False) -> Tally:
    """Process each message on the named queues once. `queues`: keys of QUEUES."""
    tally = Tally()
    for queue in queues:
        for message in _messages(deployed, queue):
            label = f"{queue} {message['MessageId']}"
            try:
                if dry_run:
                    output(f"{label}: {message['Body'][:_MAX_BODY_CHARS]}")
                    continue
                QUEUES[queue](deployed, json.loads(message["Body"]), output)
            except _KEEP as error:
                tally.kept.append(label)
                output(f"{label} stays on its queue: {type(error).__name__} {error}")
            else:
                _delete(deployed, queue, message)
                tally.sent += 1
                output(f"{label} was processed and deleted")
    return tally


def _undelivered_event(deployed: Deployed, event: dict[str, Any], _: Print) -> None:
    deployed.invoke("BusFunctionName", event)


def _failed_command(deployed: Deployed, record: dict[str, Any], _: Print) -> None:
    deployed.invoke("BusFunctionName", record["requestPayload"])


def _failed_reconcile(deployed: Deployed, record: dict[str, Any], _: Print) -> None:
    """The body is Lambda's record of a failed tick, or the tick itself if EventBridge Scheduler could not deliver it."""
    deployed.invoke("ScheduleFunctionName", record.get("requestPayload", record))


def _unpublished_changes(deployed: Deployed, record: dict[str, Any], output: Print) -> None:
    if "Records" in record:  # a change that the announce function could not read or publish
        _announce(deployed, record["Records"])
        return
    batch = record["DDBStreamBatchInfo"]
    try:
        records = stream_records(deployed, batch)
    except RecordsGone:
        items = list(runs_changed_in(deployed, batch))
        records = as_inserts(items)
        output(_gone_message(batch, [item["id"]["S"] for item in items]))
    _announce(deployed, records)


def _announce(deployed: Deployed, records: list[dict[str, Any]]) -> None:
    """Raises NotPublished. `redrive` makes the function report every failure, instead of writing a new letter."""
    for first in range(0, len(records), _MAX_RECORDS):
        event = {"Records": records[first : first + _MAX_RECORDS], "redrive": True}
        answer = deployed.invoke("AnnounceFunctionName", event)
        if answer["batchItemFailures"]:
            raise NotPublished(f"{len(answer['batchItemFailures'])} of the changes could not be published")


def _gone_message(batch: dict[str, Any], ids: Sequence[str]) -> str:
    first, last = batch["approximateArrivalOfFirstRecord"], batch["approximateArrivalOfLastRecord"]
    more = f" and {len(ids) - _MAX_LISTED_RUNS} more" if len(ids) > _MAX_LISTED_RUNS else ""
    return (
        f"The changes from {first} to {last} are no longer in the ledger's stream, which keeps them for 24 hours. These"
        f" {len(ids)} runs may have changed then; events of their current state are published, so check them:"
        f" {', '.join(ids[:_MAX_LISTED_RUNS]) or 'none'}{more}"
    )


QUEUES: dict[str, Callable[[Deployed, dict[str, Any], Print], None]] = {
    "UndeliveredEvents": _undelivered_event,
    "FailedCommands": _failed_command,
    "FailedReconciles": _failed_reconcile,
    "UnpublishedChanges": _unpublished_changes,
}


def _messages(deployed: Deployed, queue: str) -> Iterator[dict[str, Any]]:
    """Each message on the queue, once. A message that is kept stays invisible until all have been received."""
    sqs, url = deployed.client("sqs"), deployed.outputs[f"{queue}Url"]
    received: set[str] = set()
    while messages := sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=1, VisibilityTimeout=_VISIBILITY_TIMEOUT_SECONDS, WaitTimeSeconds=1
    ).get("Messages"):
        (message,) = messages
        if message["MessageId"] in received:
            return
        received.add(message["MessageId"])
        yield message


def _delete(deployed: Deployed, queue: str, message: dict[str, Any]) -> None:
    url = deployed.outputs[f"{queue}Url"]
    deployed.client("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
