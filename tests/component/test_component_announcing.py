"""Events out: their envelope, their ids, and what happens if the bus does not take them."""

import json
from typing import Any

import botocore.client
import pytest

from core.events import Detail
from tests.component.handler_harness import HandlerHarness
from tests.component.samples import TRANSFORM, sample

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
    """The sample of a run's end, ended so."""
    event = sample("stream-run-succeeded")
    event["Records"][0]["dynamodb"]["NewImage"]["status"] = {"S": status}
    return event


@pytest.mark.parametrize("status", EVENTS)
def test_every_ending_has_its_event(harness: HandlerHarness, status: str) -> None:
    harness.announce(ended(status))
    (event,) = harness.on_bus()
    assert (event["detail-type"], event["detail"]["data"]["status"]) == (EVENTS[status], status)


def test_an_event_has_the_envelope_and_the_run_as_rest_shows_it(harness: HandlerHarness) -> None:
    harness.rest(sample("api-start-labeling-set"))
    harness.deliver_stream()
    (event,) = harness.on_bus()
    assert event["source"] == "glue-label-loop"
    assert event["resources"] == [f"arn:aws:glue:us-east-1:123456789012:mlTransform/{TRANSFORM}"]
    assert set(event["detail"]) == {"metadata", "data"}
    assert set(event["detail"]["metadata"]) == {"eventId", "version", "occurredAt", "correlationId", "causationId"}
    assert event["detail"]["data"] == harness.rest(sample("api-get-task-run")).body
    Detail.model_validate(event["detail"])


def test_an_event_delivered_again_has_the_same_id_and_another_event_another(harness: HandlerHarness) -> None:
    for name in ("stream-run-started", "stream-run-started", "stream-run-succeeded", "stream-run-failed"):
        harness.announce(sample(name))
    first, again, succeeded, failed = (event["detail"]["metadata"]["eventId"] for event in harness.on_bus())
    assert first == again
    assert len({first, succeeded, failed}) == 3


def test_a_failed_run_s_event_has_glue_s_reason(harness: HandlerHarness) -> None:
    harness.announce(sample("stream-run-failed"))
    (event,) = harness.on_bus()
    assert event["detail"]["data"]["error"] == {
        "code": "GLUE_FAILED",
        "message": "Cannot access the input data. Access Denied",
    }


def test_entries_that_a_200_did_not_take_are_delivered_again(harness: HandlerHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    every_call: Any = botocore.client.BaseClient
    real: Any = every_call._make_api_call  # noqa: SLF001  where every call of a client passes

    def first_entry_fails(client: Any, operation: str, arguments: dict[str, Any]) -> Any:  # noqa: ANN401  botocore's own
        if operation != "PutEvents":
            return real(client, operation, arguments)
        answer = real(client, operation, arguments | {"Entries": arguments["Entries"][1:]})
        failed = {"ErrorCode": "ThrottlingException", "ErrorMessage": "Rate exceeded"}
        return answer | {"FailedEntryCount": 1, "Entries": [failed, *answer["Entries"]]}

    batch = sample("stream-batch")
    started = batch["Records"][2]["dynamodb"]["SequenceNumber"]
    with monkeypatch.context() as patched:
        patched.setattr(every_call, "_make_api_call", first_entry_fails)
        assert harness.announce(batch) == [started]
    assert [event["detail-type"] for event in harness.on_bus()] == ["TaskRunSucceeded", "TaskRunRefused"]

    assert harness.announce({"Records": batch["Records"][2:3]}) == []
    assert [event["detail-type"] for event in harness.on_bus()] == ["TaskRunStarted"]


def test_without_the_bus_every_event_is_delivered_again(harness: HandlerHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    every_call: Any = botocore.client.BaseClient
    real: Any = every_call._make_api_call  # noqa: SLF001  where every call of a client passes

    def unreachable(client: Any, operation: str, arguments: dict[str, Any]) -> Any:  # noqa: ANN401  botocore's own
        if operation != "PutEvents":
            return real(client, operation, arguments)
        raise botocore.client.ClientError({"Error": {"Code": "InternalFailure"}}, operation)

    batch = sample("stream-batch")
    news = [batch["Records"][position]["dynamodb"]["SequenceNumber"] for position in (2, 3, 4)]
    with monkeypatch.context() as patched:
        patched.setattr(every_call, "_make_api_call", unreachable)
        assert harness.announce(batch) == news
    assert harness.on_bus() == []


def test_a_hundred_changes_are_sent_ten_at_a_time(harness: HandlerHarness) -> None:
    (record,) = sample("stream-run-started")["Records"]
    batch = [json.loads(json.dumps(record)) for _ in range(100)]
    assert harness.announce({"Records": batch}) == []
    assert harness.calls == ["PutEvents"] * 10
    assert len(harness.on_bus()) == 100


def test_a_missing_setting_is_named_for_the_operator(harness: HandlerHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EVENT_BUS_NAME")
    with pytest.raises(ValueError, match="EVENT_BUS_NAME"):
        harness.announce(sample("stream-run-started"))
