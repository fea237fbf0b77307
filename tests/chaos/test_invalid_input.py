"""Input that can never succeed ends in a final status and event, or on a dead-letter queue, and delays nothing else."""

import json
from typing import Any
from uuid import uuid4

import pytest

from local.demo.event_listener import EventListener
from tests.chaos.cloud import ChaosCloud
from tests.chaos.faults import Fault, Kind
from tests.chaos.handler_runs import HandlerRun, Outcome, run_at_once
from tests.chaos.ledger_stream import LedgerStream
from tests.chaos.requests import message
from tests.chaos.transform_driver import TransformDriver

MAX_EVENT_BYTES = 256 * 1024  # EventBridge's limit


@pytest.fixture
def driver(cloud: ChaosCloud, processes: None, request: pytest.FixtureRequest) -> TransformDriver:
    del processes
    return TransformDriver(cloud, cloud.transform(request.node.name[:200]))


@pytest.fixture
def stream(cloud: ChaosCloud) -> LedgerStream:
    return LedgerStream(cloud.client("dynamodb"), cloud.client("dynamodbstreams"), cloud.table)


def command(driver: TransformDriver, **changes: Any) -> dict[str, Any]:  # noqa: ANN401  any of an event's members
    event = message("bus labeling set", uuid4().hex, driver.transform, driver.cloud.s3_path("sets/"), ("", ""))
    event["detail"] |= changes.pop("detail", {})
    return event | changes


def send_to_bus_handler(event: dict[str, Any]) -> Outcome:
    (outcome,) = run_at_once([HandlerRun("bus", event)])
    return outcome


def items_of(cloud: ChaosCloud, event: dict[str, Any]) -> list[dict[str, Any]]:
    items = cloud.client("dynamodb").scan(TableName=cloud.table)["Items"]
    return [item for item in items if item.get("causationId", {}).get("S") == event["id"]]


INVALID_DETAILS: dict[str, dict[str, Any]] = {
    "a field of the wrong type": {"outputS3Path": 7},
    "an unknown field": {"surprise": True},
    "a path that is not allowed": {"outputS3Path": "s3://elsewhere/sets/"},
    "an invalid key": {"idempotencyKey": "with a space"},
    "as large as an event may be, in one field": {"transformId": "x" * (MAX_EVENT_BYTES - 2000)},
    "as large as an event may be, in many fields": {f"field{number}": number for number in range(MAX_EVENT_BYTES // 20)},
}


@pytest.mark.parametrize("detail", INVALID_DETAILS.values(), ids=INVALID_DETAILS)
def test_malformed_command_is_recorded_as_refused_and_announced(
    driver: TransformDriver, cloud: ChaosCloud, stream: LedgerStream, bus: EventListener, detail: dict[str, Any]
) -> None:
    event = command(driver, detail=detail)
    assert len(json.dumps(event)) <= MAX_EVENT_BYTES
    assert send_to_bus_handler(event).raised is None, "a retry cannot help"
    assert send_to_bus_handler(event).raised is None
    (item,) = items_of(cloud, event)
    assert item["status"]["S"] == "REFUSED"
    assert len(json.dumps(item)) < 10_000, "the invalid input is not stored"
    run_at_once([HandlerRun("announce", {"Records": stream.all_records()})])
    events = [published for published in bus.receive() if published["detail"]["data"]["id"] == item["id"]["S"]]
    assert {published["detail-type"] for published in events} == {"TaskRunRefused"}
    assert not driver.glue_runs()


def test_unknown_event_version_goes_to_the_dead_letter_queue(driver: TransformDriver, cloud: ChaosCloud) -> None:
    event = command(driver, **{"detail-type": "StartLabelingSetRun.v9"})
    assert send_to_bus_handler(event).raised == "ValueError"
    assert not items_of(cloud, event)


def test_run_of_a_deleted_transform_ends_lost_and_others_go_on(driver: TransformDriver, cloud: ChaosCloud) -> None:
    other_driver = TransformDriver(cloud, cloud.transform(f"other-{uuid4().hex[:8]}"))
    cloud.hold(driver.transform)
    run_at_once([driver.labeling_set_request(), other_driver.labeling_set_request()])
    cloud.client("glue").delete_ml_transform(TransformId=driver.transform)
    both = frozenset({driver.transform, other_driver.transform})
    for at in (30, 45):
        run_at_once([HandlerRun("schedule", {}, at, only=both)])
    assert driver.items()[0]["status"] == "LOST"
    assert other_driver.items()[0]["status"] == "SUCCEEDED"


def test_queued_run_of_a_deleted_transform_is_refused(driver: TransformDriver, cloud: ChaosCloud) -> None:
    cloud.hold(driver.transform)
    run_at_once([driver.labeling_set_request() for _ in range(4)])
    cloud.client("glue").delete_ml_transform(TransformId=driver.transform)
    for at in (30, 45):
        driver.reconcile(at)
    assert sorted(item["status"] for item in driver.items()) == ["LOST", "LOST", "LOST", "REFUSED"]


@pytest.mark.parametrize("seconds", [-60, 60])
def test_clock_a_minute_off_starts_nothing_twice(driver: TransformDriver, seconds: float) -> None:
    event = driver.labeling_set_request()
    assert run_at_once([HandlerRun("api", event.event, at=seconds)])[0].answer["statusCode"] == 202
    again = run_at_once([HandlerRun("api", event.event), HandlerRun("api", event.event, at=-seconds)])
    assert {outcome.answer["statusCode"] for outcome in again} == {202}
    driver.let_glue_finish()
    driver.reconcile(at=-seconds)
    driver.reconcile(at=seconds + 30)
    assert [item["status"] for item in driver.items()] == ["SUCCEEDED"]
    assert len(driver.glue_runs()) == 1


def test_expired_run_is_not_announced_and_its_key_is_free_again(
    driver: TransformDriver, cloud: ChaosCloud, stream: LedgerStream
) -> None:
    event = driver.labeling_set_request()
    run_at_once([event])
    driver.let_glue_finish()
    driver.reconcile(at=5)
    (item,) = driver.items()
    cloud.client("dynamodb").delete_item(TableName=cloud.table, Key={"id": {"S": item["id"]}})  # as TTL does
    records = stream.all_records(removals=True)
    assert records[-1]["eventName"] == "REMOVE"
    (outcome,) = run_at_once([HandlerRun("announce", {"Records": records[-1:]})])
    assert outcome.answer == {"batchItemFailures": []}
    run_at_once([event])
    assert [stored["id"] for stored in driver.items()] == [item["id"]]
    assert len(driver.glue_runs()) == 2, "an expired key starts a new run"


def test_unreadable_change_is_isolated_and_the_stream_goes_on(
    driver: TransformDriver, cloud: ChaosCloud, stream: LedgerStream, bus: EventListener
) -> None:
    run_at_once([driver.labeling_set_request()])
    (item,) = driver.items()
    records = stream.all_records()
    unreadable = json.loads(json.dumps(records[-1]))
    unreadable["dynamodb"]["NewImage"]["status"]["S"] = "UNKNOWN_STATUS"
    unreadable["dynamodb"]["SequenceNumber"] = "9" * 21
    bus.receive()
    (outcome,) = run_at_once([HandlerRun("announce", {"Records": [unreadable, *records]})])
    assert outcome.answer == {"batchItemFailures": []}, "the shard is not held"
    assert item["id"] in [event["detail"]["data"]["id"] for event in bus.receive()]
    (letter,) = dead_letters(cloud, "UnpublishedChanges")
    assert letter == {"Records": [unreadable]}


def test_unreadable_change_that_cannot_be_isolated_is_reported_alone(driver: TransformDriver, stream: LedgerStream) -> None:
    run_at_once([driver.labeling_set_request()])
    records = stream.all_records()
    unreadable = json.loads(json.dumps(records[-1]))
    unreadable["dynamodb"]["NewImage"]["status"]["S"] = "UNKNOWN_STATUS"
    unreadable["dynamodb"]["SequenceNumber"] = "9" * 21
    fault = Fault(0, "sqs.SendMessage", Kind.UNREACHABLE, lasting=True)
    (outcome,) = run_at_once([HandlerRun("announce", {"Records": [unreadable, *records]}, fault=fault)])
    assert outcome.fault_met
    assert outcome.answer == {"batchItemFailures": [{"itemIdentifier": "9" * 21}]}, "Lambda delivers it again"
    (alone,) = run_at_once([HandlerRun("announce", {"Records": records})])
    assert alone.answer == {"batchItemFailures": []}


def dead_letters(cloud: ChaosCloud, queue: str) -> list[dict[str, Any]]:
    """The messages on the queue, which are deleted."""
    sqs, url = cloud.client("sqs"), cloud.stack.outputs[f"{queue}Url"]
    letters: list[dict[str, Any]] = []
    while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
        for letter in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=letter["ReceiptHandle"])
            letters.append(json.loads(letter["Body"]))
    return letters
