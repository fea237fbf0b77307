"""Publishing events: the fake bus, and PutEvents with each of its failures."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber
from moto import mock_aws

from core.announce import Bus, Change, Event, Rejection, announce
from core.aws.bus import EventBus
from core.events import DetailType, event_detail
from core.runs import RunError, Status
from tests.contract.credentials import CREDENTIALS
from tests.contract.sample_runs import labeling
from tests.fakes.bus import MemoryBus

GLUE_ARN = "arn:aws:glue:us-east-1:123456789012"


def event(number: int = 0, transform_id: str | None = "tfm-1") -> Event:
    run = replace(labeling(number, Status.REFUSED), transform_id=transform_id)
    return Event(Change(str(number), None, run), DetailType.REFUSED, event_detail(run, DetailType.REFUSED))


@pytest.fixture
def client() -> Iterator[Any]:
    client = boto3.client("events", config=Config(retries={"total_max_attempts": 1}), **CREDENTIALS)
    yield client
    client.close()


@pytest.fixture
def stubbed(client: Any) -> Iterator[Stubber]:  # noqa: ANN401  boto3's client
    with Stubber(client) as stubber:
        yield stubber


def put_events_response(*codes: str | None) -> dict[str, Any]:
    entries = [{"ErrorCode": code, "ErrorMessage": "no"} if code else {"EventId": f"e-{n}"} for n, code in enumerate(codes)]
    return {"FailedEntryCount": sum(map(bool, codes)), "Entries": entries}


@pytest.fixture(params=["memory", "moto"])
def bus(request: pytest.FixtureRequest) -> Iterator[Bus]:
    if request.param == "memory":
        yield MemoryBus()
        return
    with mock_aws():
        client = boto3.client("events", **CREDENTIALS)
        client.create_event_bus(Name="bus")
        yield EventBus(client, "bus", GLUE_ARN)
        client.close()


@pytest.mark.parametrize("count", [0, 1, 10, 11, 25])
def test_bus_accepts_any_number_of_events(bus: Bus, count: int) -> None:
    assert bus.send([event(number) for number in range(count)]) == []


def test_run_with_the_longest_message_fits_into_an_event(bus: Bus) -> None:
    run = replace(labeling(0, Status.REFUSED), error=RunError("GLUE_FAILED", "日" * 2000), path="s3://bucket/" + "日" * 1000)
    assert announce([Change("1", None, run)], bus) == []


def test_entry_matches_the_contract(stubbed: Stubber, client: Any) -> None:  # noqa: ANN401  boto3's client
    sample = event()
    entry = {
        "EventBusName": "bus",
        "Source": "glue-label-loop",
        "DetailType": "TaskRunRefused",
        "Detail": sample.detail.model_dump_json(by_alias=True),
        "Time": sample.detail.metadata.occurred_at,
        "Resources": ["arn:aws:glue:us-east-1:123456789012:mlTransform/tfm-1"],
    }
    assert set(json.loads(sample.detail.model_dump_json(by_alias=True))) == {"metadata", "data"}
    stubbed.add_response("put_events", put_events_response(None), {"Entries": [entry]})
    assert EventBus(client, "bus", GLUE_ARN).send([sample]) == []


def test_event_without_a_transform_has_no_resource(stubbed: Stubber, client: Any) -> None:  # noqa: ANN401  boto3's client
    calls: list[dict[str, Any]] = []
    client.meta.events.register("provide-client-params.events", lambda params, **_: calls.append(params))
    stubbed.add_response("put_events", put_events_response(None))
    EventBus(client, "bus", GLUE_ARN).send([event(transform_id=None)])
    assert "Resources" not in calls[0]["Entries"][0]


@pytest.mark.parametrize("code", ["InternalFailure", "ThrottlingException", "MalformedDetail"])
def test_response_200_may_reject_some_entries(stubbed: Stubber, client: Any, code: str) -> None:  # noqa: ANN401  boto3's client
    events = [event(number) for number in range(3)]
    stubbed.add_response("put_events", put_events_response(None, code, None))
    assert EventBus(client, "bus", GLUE_ARN).send(events) == [Rejection(events[1], is_final=code == "MalformedDetail")]


def test_each_batch_of_ten_events_fails_or_succeeds_by_itself(stubbed: Stubber, client: Any) -> None:  # noqa: ANN401  boto3's client
    events = [event(number) for number in range(25)]
    stubbed.add_response("put_events", put_events_response(*[None] * 9, "InternalFailure"))
    stubbed.add_client_error("put_events", "ThrottlingException", http_status_code=400)
    stubbed.add_response("put_events", put_events_response(*[None] * 5))
    assert EventBus(client, "bus", GLUE_ARN).send(events) == [Rejection(rejected) for rejected in events[9:20]]
    stubbed.assert_no_pending_responses()


@pytest.mark.parametrize(("code", "status"), [("InternalException", 500), ("AccessDeniedException", 400)])
def test_failed_call_rejects_all_events(stubbed: Stubber, client: Any, code: str, status: int) -> None:  # noqa: ANN401  boto3's client
    stubbed.add_client_error("put_events", code, http_status_code=status)
    events: Sequence[Event] = [event(1), event(2)]
    assert EventBus(client, "bus", GLUE_ARN).send(events) == [Rejection(rejected) for rejected in events]


@pytest.mark.parametrize(("code", "status"), [("ValidationException", 400), ("RequestEntityTooLarge", 413)])
def test_invalid_entry_is_rejected_for_good_and_takes_no_other_along(
    stubbed: Stubber,
    client: Any,  # noqa: ANN401  boto3's client
    code: str,
    status: int,
) -> None:
    events = [event(number) for number in range(3)]
    stubbed.add_client_error("put_events", code, http_status_code=status)
    stubbed.add_response("put_events", put_events_response(None))
    stubbed.add_client_error("put_events", code, http_status_code=status)
    stubbed.add_response("put_events", put_events_response(None))
    assert EventBus(client, "bus", GLUE_ARN).send(events) == [Rejection(events[1], is_final=True)]
    stubbed.assert_no_pending_responses()


def test_rejected_events_are_reported_by_sequence_number(stubbed: Stubber, client: Any) -> None:  # noqa: ANN401  boto3's client
    changes = [Change(str(number), None, labeling(number, Status.REFUSED)) for number in range(3)]
    stubbed.add_response("put_events", put_events_response(None, "InternalFailure", None))
    assert announce(changes, EventBus(client, "bus", GLUE_ARN)) == ["1"]
