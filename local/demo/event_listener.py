"""Receives the published events through an SQS queue, as any consumer would."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.cloud.stack import Stack

EVENT_SOURCE = "glue-label-loop"
MAX_MESSAGES = 10  # per ReceiveMessage call, SQS's limit


@dataclass(frozen=True)
class EventListener:
    """The queue that a rule on the event bus fills."""

    sqs: Any
    queue_url: str

    def receive(self) -> list[Mapping[str, Any]]:
        """The events that arrived since the last call, each in EventBridge's envelope."""
        events: list[Mapping[str, Any]] = []
        while messages := self.sqs.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=MAX_MESSAGES).get("Messages"):
            for message in messages:
                events.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return events


def subscribe(stack: Stack, name: str = "listener") -> EventListener:
    """Create a queue and a rule that sends it all events of the service; `name` names both."""
    sqs, events = stack.client("sqs"), stack.client("events")
    queue_url = sqs.create_queue(QueueName=name)["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    bus = stack.env["EVENT_BUS_NAME"]
    events.put_rule(Name=name, EventBusName=bus, EventPattern=json.dumps({"source": [EVENT_SOURCE]}))
    events.put_targets(Rule=name, EventBusName=bus, Targets=[{"Id": "queue", "Arn": queue_arn}])
    return EventListener(sqs, queue_url)


def unique_events(events: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The events without repeats. Delivery is at least once; repeats have the same eventId."""
    return list({event["detail"]["metadata"]["eventId"]: event for event in events}.values())


def count_dead_letters(stack: Stack) -> dict[str, int]:
    """The number of messages in each dead-letter queue, by the name of its template output."""
    sqs = stack.client("sqs")
    counts = {}
    for output, url in stack.outputs.items():
        if output.endswith("Url") and output not in ("ApiUrl", "LabelUrl"):
            response = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
            counts[output.removesuffix("Url")] = int(response["Attributes"]["ApproximateNumberOfMessages"])
    return counts
