"""`make redrive`: send what lies on the dead-letter queues through the same door again.

A message is deleted only after its door took it; what fails again stays where it is. Runs, keys and event ids are the ledger's,
so that sending something twice changes nothing.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from ops.redrive.stack import Deployed, FunctionFailed
from ops.redrive.stream_records import RecordsGone, as_new, runs_changed_in, stream_records

_INVISIBLE_SECONDS = 330  # longer than the slowest function
_SHOWN_RUNS = 20
Say = Callable[[str], None]


class NotTaken(Exception):
    """The door did not take the message; the text says why."""


@dataclass
class Tally:
    sent: int = 0
    kept: list[str] = field(default_factory=list)


def redrive(deployed: Deployed, queues: Sequence[str], say: Say, *, dry_run: bool = False) -> Tally:
    """Send each message of the named queues through its door, once. `queues`: names out of DOORS."""
    tally = Tally()
    for queue in queues:
        for message in _messages(deployed, queue):
            what = f"{queue} {message['MessageId']}"
            try:
                if dry_run:
                    say(f"{what}: {message['Body'][:300]}")
                    continue
                DOORS[queue](deployed, json.loads(message["Body"]), say)
            except (NotTaken, FunctionFailed, ClientError, BotoCoreError, ValueError, KeyError, TypeError) as fault:
                tally.kept.append(what)
                say(f"{what} stays: {type(fault).__name__} {fault}")
            else:
                _delete(deployed, queue, message)
                tally.sent += 1
                say(f"{what} was taken")
    return tally


def _undelivered_event(deployed: Deployed, event: dict[str, Any], _: Say) -> None:
    deployed.invoke("BusFunctionName", event)


def _failed_command(deployed: Deployed, record: dict[str, Any], _: Say) -> None:
    deployed.invoke("BusFunctionName", record["requestPayload"])


def _failed_reconcile(deployed: Deployed, record: dict[str, Any], _: Say) -> None:
    """Lambda leaves its record of a failed tick here, the scheduler the tick itself."""
    deployed.invoke("ScheduleFunctionName", record.get("requestPayload", record))


def _unpublished_changes(deployed: Deployed, record: dict[str, Any], say: Say) -> None:
    batch = record["DDBStreamBatchInfo"]
    try:
        records = stream_records(deployed, batch)
    except RecordsGone:
        items = list(runs_changed_in(deployed, batch))
        records = as_new(items)
        ids = [item["id"]["S"] for item in items]
        more = f" and {len(ids) - _SHOWN_RUNS} more" if len(ids) > _SHOWN_RUNS else ""
        say(
            f"The changes from {batch['approximateArrivalOfFirstRecord']} to {batch['approximateArrivalOfLastRecord']} are no"
            f" longer in the ledger's stream (it keeps them 24 hours). These {len(ids)} runs may be meant; their events are"
            f" sent again as the runs stand now, so look at them: {', '.join(ids[:_SHOWN_RUNS]) or 'none'}{more}"
        )
    for first in range(0, len(records), 100):
        answer = deployed.invoke("AnnounceFunctionName", {"Records": records[first : first + 100]})
        if answer["batchItemFailures"]:
            raise NotTaken(f"the bus did not take {len(answer['batchItemFailures'])} of the changes")


DOORS: dict[str, Callable[[Deployed, dict[str, Any], Say], None]] = {
    "UndeliveredEvents": _undelivered_event,
    "FailedCommands": _failed_command,
    "FailedReconciles": _failed_reconcile,
    "UnpublishedChanges": _unpublished_changes,
}


def _messages(deployed: Deployed, queue: str) -> Iterator[dict[str, Any]]:
    """Each message that lies there now, once: what stays is invisible for as long as this may take."""
    sqs, url = deployed.client("sqs"), deployed.outputs[f"{queue}Url"]
    seen: set[str] = set()
    while messages := sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=1, VisibilityTimeout=_INVISIBLE_SECONDS, WaitTimeSeconds=1
    ).get("Messages"):
        (message,) = messages
        if message["MessageId"] in seen:
            return
        seen.add(message["MessageId"])
        yield message


def _delete(deployed: Deployed, queue: str, message: dict[str, Any]) -> None:
    url = deployed.outputs[f"{queue}Url"]
    deployed.client("sqs").delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
