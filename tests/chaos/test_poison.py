"""What can never go well ends in a state and an event, or is handed back for a dead-letter queue; it never holds up others."""

import json
from typing import Any
from uuid import uuid4

import pytest

from local.demo.event_listener import Listener, listen
from tests.chaos.cloud import Ground
from tests.chaos.crowd import Crowd
from tests.chaos.handler_runs import HandlerRun, Outcome, run_at_once
from tests.chaos.requests import message
from tests.chaos.stream import LedgerStream

LARGEST_EVENT = 256 * 1024  # bytes that EventBridge takes


@pytest.fixture
def crowd(ground: Ground, processes: None, request: pytest.FixtureRequest) -> Crowd:
    del processes
    return Crowd(ground, ground.transform(request.node.name[:200]))


@pytest.fixture(scope="module")
def bus(ground: Ground) -> Listener:
    return listen(ground.stack, "poison")


@pytest.fixture
def stream(ground: Ground) -> LedgerStream:
    return LedgerStream(ground.client("dynamodb"), ground.client("dynamodbstreams"), ground.table)


def command(crowd: Crowd, **changes: Any) -> dict[str, Any]:  # noqa: ANN401  any of an event's members
    event = message("bus labeling set", uuid4().hex, crowd.transform, crowd.ground.s3_path("sets/"), ("", ""))
    event["detail"] |= changes.pop("detail", {})
    return event | changes


def on_bus(event: dict[str, Any]) -> Outcome:
    (outcome,) = run_at_once([HandlerRun("bus", event)])
    return outcome


def recorded(ground: Ground, event: dict[str, Any]) -> list[dict[str, Any]]:
    found = ground.client("dynamodb").scan(TableName=ground.table)["Items"]
    return [item for item in found if item.get("causationId", {}).get("S") == event["id"]]


POISON: dict[str, dict[str, Any]] = {
    "a field of another type": {"outputS3Path": 7},
    "a field that nobody knows": {"surprise": True},
    "a path that is not allowed": {"outputS3Path": "s3://elsewhere/sets/"},
    "a key that is none": {"idempotencyKey": "with a space"},
    "as large as an event may be, one field": {"transformId": "x" * (LARGEST_EVENT - 2000)},
    "as large as an event may be, many fields": {f"field{number}": number for number in range(LARGEST_EVENT // 20)},
}


@pytest.mark.parametrize("detail", POISON.values(), ids=POISON)
def test_a_malformed_command_is_refused_on_record_and_told_of(
    crowd: Crowd, ground: Ground, stream: LedgerStream, bus: Listener, detail: dict[str, Any]
) -> None:
    event = command(crowd, detail=detail)
    assert len(json.dumps(event)) <= LARGEST_EVENT
    assert on_bus(event).raised is None, "no retry would help"
    assert on_bus(event).raised is None
    (item,) = recorded(ground, event)
    assert item["status"]["S"] == "REFUSED"
    assert len(json.dumps(item)) < 10_000, "what was sent is not kept"
    run_at_once([HandlerRun("announce", {"Records": stream.all_records()})])
    told = [one for one in bus.heard() if one["detail"]["data"]["id"] == item["id"]["S"]]
    assert {one["detail-type"] for one in told} == {"TaskRunRefused"}
    assert not crowd.glue_runs()


def test_an_unknown_version_or_kind_of_event_goes_to_the_dead_letters(crowd: Crowd, ground: Ground) -> None:
    event = command(crowd, **{"detail-type": "StartLabelingSetRun.v9"})
    assert on_bus(event).raised == "ValueError"
    assert not recorded(ground, event)


def test_a_run_and_a_transform_that_go_away_end_lost_and_let_others_be(crowd: Crowd, ground: Ground) -> None:
    other = Crowd(ground, ground.transform(f"other-{uuid4().hex[:8]}"))
    ground.hold(crowd.transform)
    run_at_once([crowd.labeling_set(), other.labeling_set()])
    ground.client("glue").delete_ml_transform(TransformId=crowd.transform)
    both = frozenset({crowd.transform, other.transform})
    for at in (30, 45):
        run_at_once([HandlerRun("schedule", {}, at, only=both)])
    assert crowd.items()[0]["status"] == "LOST"
    assert other.items()[0]["status"] == "SUCCEEDED"


def test_a_waiting_request_whose_transform_goes_away_is_refused(crowd: Crowd, ground: Ground) -> None:
    ground.hold(crowd.transform)
    run_at_once([crowd.labeling_set() for _ in range(4)])
    ground.client("glue").delete_ml_transform(TransformId=crowd.transform)
    for at in (30, 45):
        crowd.reconcile(at)
    assert sorted(item["status"] for item in crowd.items()) == ["LOST", "LOST", "LOST", "REFUSED"]


@pytest.mark.parametrize("seconds", [-60, 60])
def test_a_clock_that_is_a_minute_off_starts_nothing_twice(crowd: Crowd, seconds: float) -> None:
    event = crowd.labeling_set()
    assert run_at_once([HandlerRun("api", event.event, at=seconds)])[0].answer["statusCode"] == 202
    again = run_at_once([HandlerRun("api", event.event), HandlerRun("api", event.event, at=-seconds)])
    assert {one.answer["statusCode"] for one in again} == {202}
    crowd.let_glue_finish()
    crowd.reconcile(at=-seconds)
    crowd.reconcile(at=seconds + 30)
    assert [item["status"] for item in crowd.items()] == ["SUCCEEDED"]
    assert len(crowd.glue_runs()) == 1


def test_a_run_that_expired_is_no_news_and_its_key_is_free_again(crowd: Crowd, ground: Ground, stream: LedgerStream) -> None:
    event = crowd.labeling_set()
    run_at_once([event])
    crowd.let_glue_finish()
    crowd.reconcile(at=5)
    (item,) = crowd.items()
    ground.client("dynamodb").delete_item(TableName=ground.table, Key={"id": {"S": item["id"]}})  # as TTL does
    records = stream.all_records(removals=True)
    assert records[-1]["eventName"] == "REMOVE"
    (outcome,) = run_at_once([HandlerRun("announce", {"Records": records[-1:]})])
    assert outcome.answer == {"batchItemFailures": []}
    run_at_once([event])
    assert [one["id"] for one in crowd.items()] == [item["id"]]
    assert len(crowd.glue_runs()) == 2, "once forgotten, a key asks for a new run"


def test_a_change_that_cannot_be_published_is_handed_back_alone(crowd: Crowd, stream: LedgerStream) -> None:
    run_at_once([crowd.labeling_set()])
    records = stream.all_records()
    broken = json.loads(json.dumps(records[-1]))
    broken["dynamodb"]["NewImage"]["status"]["S"] = "A STATE OF TOMORROW"
    broken["dynamodb"]["SequenceNumber"] = "9" * 21
    (outcome,) = run_at_once([HandlerRun("announce", {"Records": [broken, *records]})])
    assert outcome.raised or outcome.answer["batchItemFailures"], "Lambda narrows the batch down and keeps the rest"
    (alone,) = run_at_once([HandlerRun("announce", {"Records": records})])
    assert alone.answer == {"batchItemFailures": []}
