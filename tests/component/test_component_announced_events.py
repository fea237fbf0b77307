"""Events out: their envelope, their ids, and what happens if the bus rejects them."""

import json
from typing import Any
from uuid import uuid4

import botocore.client
import pytest

from core.events import Detail
from handlers import wiring
from tests.component.handler_harness import HandlerHarness, clear_caches
from tests.component.sample_events import TRANSFORM, sample

EVENTS = {
    "SUCCEEDED": "TaskRunSucceeded",
    "FAILED": "TaskRunFailed",
    "STOPPED": "TaskRunStopped",
    "TIMEOUT": "TaskRunTimedOut",
    "REFUSED": "TaskRunRefused",
    "START_FAILED": "TaskRunStartFailed",
    "CANCELLED": "TaskRunCancelled",
    "LOST": "TaskRunLost",
}


def ended(status: str) -> dict[str, Any]:
    """The sample of a run that ended, with this status."""
    event = sample("stream-run-succeeded")
    event["Records"][0]["dynamodb"]["NewImage"]["status"] = {"S": status}
    return event


@pytest.mark.parametrize("status", EVENTS)
def test_each_final_status_has_its_own_event(harness: HandlerHarness, status: str) -> None:
    harness.announce(ended(status))
    (event,) = harness.published_events()
    assert (event["detail-type"], event["detail"]["data"]["status"]) == (EVENTS[status], status)


def test_event_carries_the_task_run_as_the_api_returns_it(harness: HandlerHarness) -> None:
    harness.rest(sample("api-start-labeling-set"))
    harness.deliver_stream()
    (event,) = harness.published_events()
    assert event["source"] == "glue-label-loop"
    assert event["resources"] == [f"arn:aws:glue:us-east-1:123456789012:mlTransform/{TRANSFORM}"]
    assert set(event["detail"]) == {"metadata", "data"}
    assert set(event["detail"]["metadata"]) == {"eventId", "version", "occurredAt", "correlationId", "causationId"}
    assert event["detail"]["data"] == harness.rest(sample("api-get-task-run")).body
    Detail.model_validate(event["detail"])


def test_repeated_event_keeps_its_id_and_different_events_differ(harness: HandlerHarness) -> None:
    for name in ("stream-run-started", "stream-run-started", "stream-run-succeeded", "stream-run-failed"):
        harness.announce(sample(name))
    first, repeat, succeeded, failed = (event["detail"]["metadata"]["eventId"] for event in harness.published_events())
    assert first == repeat
    assert len({first, succeeded, failed}) == 3


def test_event_of_a_failed_run_has_the_reason_from_glue(harness: HandlerHarness) -> None:
    harness.announce(sample("stream-run-failed"))
    (event,) = harness.published_events()
    assert event["detail"]["data"]["error"] == {
        "code": "GLUE_FAILED",
        "message": "Cannot access the input data. Access Denied",
    }


def test_entries_that_put_events_rejects_are_delivered_again(harness: HandlerHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    base_client: Any = botocore.client.BaseClient
    call: Any = base_client._make_api_call  # noqa: SLF001  every call of a client goes through it

    def first_entry_fails(client: Any, operation: str, arguments: dict[str, Any]) -> Any:  # noqa: ANN401  botocore's own
        if operation != "PutEvents":
            return call(client, operation, arguments)
        response = call(client, operation, arguments | {"Entries": arguments["Entries"][1:]})
        failed = {"ErrorCode": "ThrottlingException", "ErrorMessage": "Rate exceeded"}
        return response | {"FailedEntryCount": 1, "Entries": [failed, *response["Entries"]]}

    batch = sample("stream-batch")
    started = batch["Records"][2]["dynamodb"]["SequenceNumber"]
    with monkeypatch.context() as patch:
        patch.setattr(base_client, "_make_api_call", first_entry_fails)
        assert harness.announce(batch) == [started]
    assert [event["detail-type"] for event in harness.published_events()] == ["TaskRunSucceeded", "TaskRunRefused"]

    assert harness.announce({"Records": batch["Records"][2:3]}) == []
    assert [event["detail-type"] for event in harness.published_events()] == ["TaskRunStarted"]


def test_all_events_are_delivered_again_when_the_bus_is_unavailable(
    harness: HandlerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    base_client: Any = botocore.client.BaseClient
    call: Any = base_client._make_api_call  # noqa: SLF001  every call of a client goes through it

    def unreachable(client: Any, operation: str, arguments: dict[str, Any]) -> Any:  # noqa: ANN401  botocore's own
        if operation != "PutEvents":
            return call(client, operation, arguments)
        raise botocore.client.ClientError({"Error": {"Code": "InternalFailure"}}, operation)

    batch = sample("stream-batch")
    announced = [batch["Records"][position]["dynamodb"]["SequenceNumber"] for position in (2, 3, 4)]
    with monkeypatch.context() as patch:
        patch.setattr(base_client, "_make_api_call", unreachable)
        assert harness.announce(batch) == announced
    assert harness.published_events() == []


def test_hundred_changes_are_sent_in_batches_of_ten(harness: HandlerHarness) -> None:
    (record,) = sample("stream-run-started")["Records"]
    batch = [json.loads(json.dumps(record)) for _ in range(100)]
    assert harness.announce({"Records": batch}) == []
    assert harness.calls == ["PutEvents"] * 10
    assert len(harness.published_events()) == 100


def test_missing_setting_is_named_in_the_error(harness: HandlerHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVENT_BUS_NAME")
    with pytest.raises(ValueError, match="EVENT_BUS_NAME"):
        harness.announce(sample("stream-run-started"))


def numbers(records: list[dict[str, Any]]) -> list[str]:
    return [record["dynamodb"]["SequenceNumber"] for record in records]


UNREADABLE: dict[str, dict[str, Any]] = {
    "an unknown status": {"status": {"S": "UNKNOWN_STATUS"}},
    "a time that is none": {"requestedOn": {"S": "yesterday"}},
    "an attribute of another type": {"status": {"N": "1"}},
    "no task type": {"taskType": {"S": ""}},
}


@pytest.mark.parametrize("attributes", UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable_change_goes_to_the_dead_letters_alone_and_the_rest_is_announced(
    harness: HandlerHarness,
    attributes: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # Powertools' logger keeps writing where the first test of its service read.
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", f"a-stack-{uuid4().hex}")
    clear_caches(vars(wiring))
    batch = sample("stream-batch")
    poison = batch["Records"][3]
    poison["dynamodb"]["NewImage"] |= attributes
    assert harness.announce(batch) == [], "the stream goes on"
    assert [event["detail-type"] for event in harness.published_events()] == ["TaskRunStarted", "TaskRunRefused"]
    assert harness.dead_letters() == [{"Records": [poison]}]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "CHANGE_" in line]
    assert [line["message"] for line in lines] == ["CHANGE_UNREADABLE", "CHANGE_ISOLATED"]
    assert {line["sequenceNumber"] for line in lines} == set(numbers([poison]))


def test_unreadable_change_is_reported_where_it_cannot_be_isolated(
    harness: HandlerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = sample("stream-batch")
    poison = batch["Records"][3]
    poison["dynamodb"]["NewImage"] |= UNREADABLE["an unknown status"]
    assert harness.announce(batch | {"redrive": True}) == numbers([poison]), "a redriven letter stays on its queue"
    monkeypatch.setenv("UNPUBLISHED_CHANGES_URL", "https://sqs.us-east-1.amazonaws.com/123456789012/no-such-queue")
    clear_caches(vars(wiring))
    assert harness.announce(batch) == numbers([poison])
    monkeypatch.delenv("UNPUBLISHED_CHANGES_URL")
    clear_caches(vars(wiring))
    assert harness.announce(batch) == numbers([poison])
    assert [event["detail-type"] for event in harness.published_events()] == ["TaskRunStarted", "TaskRunRefused"] * 3
    assert harness.dead_letters() == []


def test_change_that_the_bus_never_accepts_goes_to_the_dead_letters(
    harness: HandlerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    every_call: Any = botocore.client.BaseClient
    real: Any = every_call._make_api_call  # noqa: SLF001  where every call of a client passes

    def reject_refusals(client: Any, operation: str, arguments: dict[str, Any]) -> Any:  # noqa: ANN401  botocore's own
        entries = arguments.get("Entries", [])
        if operation != "PutEvents" or all(entry["DetailType"] != "TaskRunRefused" for entry in entries):
            return real(client, operation, arguments)
        raise botocore.client.ClientError({"Error": {"Code": "ValidationException"}}, operation)

    batch = sample("stream-batch")
    monkeypatch.setattr(every_call, "_make_api_call", reject_refusals)
    assert harness.announce(batch) == []
    assert [event["detail-type"] for event in harness.published_events()] == ["TaskRunStarted", "TaskRunSucceeded"]
    (letter,) = harness.dead_letters()
    assert letter["Records"][0]["dynamodb"]["NewImage"]["status"] == {"S": "REFUSED"}
