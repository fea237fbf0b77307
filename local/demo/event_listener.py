"""The events that go out on the bus, caught in a queue as any consumer would."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.cloud.stack import Stack

EVENT_SOURCE = "glue-label-loop"


@dataclass(frozen=True)
class EventListener:
    """A rule on the bus and the queue it fills."""

    sqs: Any
    queue_url: str

    def receive(self) -> list[Mapping[str, Any]]:
        """What came since the last time, each event in EventBridge's envelope."""
        events: list[Mapping[str, Any]] = []
        while messages := self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                events.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return events


def subscribe(stack: Stack, name: str = "listener") -> EventListener:
    sqs, bus = stack.client("sqs"), stack.client("events")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    where = stack.env["EVENT_BUS_NAME"]
    bus.put_rule(Name=name, EventBusName=where, EventPattern=json.dumps({"source": [EVENT_SOURCE]}))
    bus.put_targets(Rule=name, EventBusName=where, Targets=[{"Id": "queue", "Arn": arn}])
    return EventListener(sqs, url)


def unique_events(events: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """At least once is what is promised: repeats carry the same eventId."""
    return list({event["detail"]["metadata"]["eventId"]: event for event in events}.values())


def count_dead_letters(stack: Stack) -> dict[str, int]:
    """How many messages lie in each dead-letter queue, by the name of the template's output."""
    sqs = stack.client("sqs")
    counts = {}
    for name, url in stack.outputs.items():
        if name.endswith("Url") and name != "ApiUrl":
            wanted = ["ApproximateNumberOfMessages"]
            told = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=wanted)["Attributes"]
            counts[name.removesuffix("Url")] = int(told["ApproximateNumberOfMessages"])
    return counts
