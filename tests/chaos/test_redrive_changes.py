"""`make redrive` of changes that could not be published: from the stream, from the ledger, or from the letter itself."""

from dataclasses import dataclass
from typing import Any

from local.demo.event_listener import EventListener
from ops.redrive.stack import Deployed
from tests.chaos.cloud import ChaosCloud
from tests.chaos.redrive_queues import ANY_TIME, batch_info, command, count_messages, items_of, put, redrive_queue


def test_unpublished_changes_are_read_from_the_stream_and_published(
    cloud: ChaosCloud, deployed: Deployed, transform: str, bus: EventListener
) -> None:
    event = command(cloud, transform)
    deployed.invoke("BusFunctionName", event)
    (run,) = items_of(cloud, event)
    put(cloud, "UnpublishedChanges", {"DDBStreamBatchInfo": batch_info(cloud, run["id"]["S"])})
    bus.receive()
    assert redrive_queue(deployed, "UnpublishedChanges")[0].sent == 1
    published = [(sent["detail-type"], sent["detail"]["data"]["id"]) for sent in bus.receive()]
    assert published == [("TaskRunStarted", run["id"]["S"])]
    assert count_messages(cloud, "UnpublishedChanges") == 0


@dataclass(frozen=True)
class OneRecordPerPage(Deployed):
    """The stack, but its stream returns one record a page, and an empty page after each."""

    def client(self, service: str) -> Any:  # noqa: ANN401  boto3's clients
        client = super().client(service)
        return _SmallPages(client) if service == "dynamodbstreams" else client


class _SmallPages:
    def __init__(self, streams: Any) -> None:  # noqa: ANN401  boto3's client
        self._streams = streams
        self._was_empty = True

    def get_shard_iterator(self, **arguments: str) -> Any:  # noqa: ANN401  boto3's response
        return self._streams.get_shard_iterator(**arguments)

    def get_records(self, ShardIterator: str) -> dict[str, Any]:  # noqa: N803  boto3's own
        self._was_empty = not self._was_empty
        if self._was_empty:
            return {"Records": [], "NextShardIterator": ShardIterator}
        page: dict[str, Any] = self._streams.get_records(ShardIterator=ShardIterator, Limit=1)
        return page


def test_every_change_is_published_although_the_stream_returns_empty_pages(
    cloud: ChaosCloud, deployed: Deployed, transform: str, bus: EventListener
) -> None:
    events = [command(cloud, transform) for _ in range(2)]
    for event in events:
        deployed.invoke("BusFunctionName", event)
    first, last = (items_of(cloud, event)[0]["id"]["S"] for event in events)
    batch = batch_info(cloud, first) | {"endSequenceNumber": batch_info(cloud, last)["endSequenceNumber"]}
    put(cloud, "UnpublishedChanges", {"DDBStreamBatchInfo": batch})
    bus.receive()
    tally, output = redrive_queue(OneRecordPerPage(deployed.session, deployed.outputs, deployed.endpoint), "UnpublishedChanges")
    assert (tally.sent, tally.kept) == (1, []), output
    assert {sent["detail"]["data"]["id"] for sent in bus.receive()} >= {first, last}
    assert count_messages(cloud, "UnpublishedChanges") == 0


def test_changes_no_longer_in_the_stream_are_published_from_the_ledger(
    cloud: ChaosCloud, deployed: Deployed, transform: str, bus: EventListener
) -> None:
    event = command(cloud, transform)
    deployed.invoke("BusFunctionName", event)
    (run,) = items_of(cloud, event)
    batch = batch_info(cloud, run["id"]["S"])
    trimmed = {**batch, **ANY_TIME, "startSequenceNumber": "1".zfill(21), "endSequenceNumber": "2".zfill(21)}
    put(cloud, "UnpublishedChanges", {"DDBStreamBatchInfo": trimmed})
    bus.receive()
    tally, output = redrive_queue(deployed, "UnpublishedChanges")
    assert tally.sent == 1, output
    assert "no longer in the ledger's stream" in output
    assert run["id"]["S"] in output
    assert ("TaskRunStarted", run["id"]["S"]) in [(sent["detail-type"], sent["detail"]["data"]["id"]) for sent in bus.receive()]


def test_isolated_change_is_announced_once_it_can_be_read(
    cloud: ChaosCloud, deployed: Deployed, transform: str, bus: EventListener
) -> None:
    event = command(cloud, transform)
    deployed.invoke("BusFunctionName", event)
    (item,) = items_of(cloud, event)
    record = {"eventName": "INSERT", "dynamodb": {"SequenceNumber": "7", "NewImage": item}}
    unreadable = {"eventName": "INSERT", "dynamodb": {"SequenceNumber": "8", "NewImage": item | {"status": {"S": "UNKNOWN"}}}}
    put(cloud, "UnpublishedChanges", {"Records": [record]})
    put(cloud, "UnpublishedChanges", {"Records": [unreadable]})
    bus.receive()
    tally, output = redrive_queue(deployed, "UnpublishedChanges")
    assert (tally.sent, len(tally.kept)) == (1, 1), output
    assert [sent["detail"]["data"]["id"] for sent in bus.receive()] == [item["id"]["S"]]
    assert count_messages(cloud, "UnpublishedChanges") == 1, "no second letter of the unreadable change"
