"""A replay is judged by the ledger, whatever the settings are now; a new attempt by the settings."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from handlers import wiring
from tests.component.handler_harness import HandlerHarness, clear_caches
from tests.component.sample_events import TRANSFORM, rest_sample, sample

SET, IMPORT = "api-start-labeling-set", "api-start-import"
COMMANDS = ("bus-start-labeling-set", "bus-start-import", "bus-start-import-without-key")


def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a deployment that allows another prefix, in processes that have seen no run before."""
    monkeypatch.setenv("ALLOWED_S3_PREFIXES", "s3://another-bucket/")
    clear_caches(vars(wiring))


@pytest.mark.parametrize("name", [SET, IMPORT])
def test_request_sent_again_after_prefixes_were_narrowed_is_a_replay(
    harness: HandlerHarness, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    first = harness.rest(sample(name))
    narrow(monkeypatch)
    again = harness.rest(sample(name))
    assert (again.status, again.headers["idempotency-replayed"]) == (202, "true")
    assert again.body["id"] == first.body["id"]
    assert len(harness.glue_start_calls()) == 1


def test_request_with_a_new_key_is_judged_by_the_settings(harness: HandlerHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    harness.rest(sample(SET))
    narrow(monkeypatch)
    response = harness.rest(rest_sample(SET, key="another"))
    assert (response.status, response.body["errors"][0]["pointer"]) == (422, "#/outputS3Path")
    assert len(harness.items()) == 1


def test_new_attempt_after_a_refusal_is_judged_by_the_settings(
    harness: HandlerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert harness.rest(sample("api-unknown-transform")).status == 404
    narrow(monkeypatch)
    response = harness.rest(sample("api-unknown-transform"))
    assert (response.status, response.body["title"]) == (422, "Invalid request")
    assert harness.only_item()["attempt"] == "1"


@pytest.mark.parametrize("name", COMMANDS)
def test_command_delivered_again_after_prefixes_were_narrowed_is_no_second_run(
    harness: HandlerHarness, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    harness.command(sample(name))
    narrow(monkeypatch)
    harness.command(sample(name))
    harness.deliver_stream()
    assert harness.only_item()["status"] == "STARTING"
    assert [event["detail-type"] for event in harness.published_events()] == ["TaskRunStarted"]


def test_upload_delivered_again_after_prefixes_were_narrowed_is_no_second_run(
    harness: HandlerHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness.command(sample("bus-upload"))
    narrow(monkeypatch)
    harness.command(sample("bus-upload"))
    assert harness.only_item()["status"] == "STARTING"


def test_transforms_narrowed_later_leave_replays_alone(harness: HandlerHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    first = harness.rest(sample(SET))
    monkeypatch.setenv("CALLER_TRANSFORMS", '{"*": ["tfm-another"]}')
    clear_caches(vars(wiring))
    assert harness.rest(sample(SET)).body["id"] == first.body["id"]
    assert harness.rest(rest_sample(SET, key="another")).status == 422


def test_gateway_that_repeats_its_request_id_does_not_repeat_a_refusal(harness: HandlerHarness) -> None:
    missing = {"transformId": TRANSFORM, "inputS3Path": f"s3://label-loop-data/labels/{TRANSFORM}/not-yet.csv"}
    assert harness.rest(rest_sample(IMPORT, body=missing)).status == 422
    harness.s3.copy_object(
        Bucket="label-loop-data",
        Key=f"labels/{TRANSFORM}/not-yet.csv",
        CopySource=f"label-loop-data/labels/{TRANSFORM}/round-1.csv",
    )
    again = harness.rest(rest_sample(IMPORT, body=missing))
    assert (again.status, again.body["status"]) == (202, "STARTING")
    assert "idempotency-replayed" not in again.headers
    assert harness.only_item()["attempt"] == "2"


def archived(name: str, days: float) -> dict[str, Any]:
    return sample(name) | {"time": (datetime.now(UTC) - timedelta(days=days)).isoformat()}


@pytest.mark.parametrize("name", [*COMMANDS, "bus-upload"])
def test_command_older_than_the_retention_is_refused_once(harness: HandlerHarness, name: str) -> None:
    for _ in range(2):
        harness.command(archived(name, 90.1))
    harness.deliver_stream()
    item = harness.only_item()
    assert (item["status"], item["errorCode"]) == ("REFUSED", "COMMAND_TOO_OLD")
    assert [event["detail-type"] for event in harness.published_events()] == ["TaskRunRefused"]
    assert harness.nothing_was_started()


@pytest.mark.parametrize("name", [*COMMANDS, "bus-upload"])
def test_old_command_whose_key_is_still_known_is_a_replay(harness: HandlerHarness, name: str) -> None:
    harness.command(sample(name))
    harness.command(archived(name, 400))
    assert harness.only_item()["status"] == "STARTING"


def test_retention_decides_what_is_too_old(harness: HandlerHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETENTION_DAYS", "2")
    harness.command(archived("bus-start-import", 1.9))
    assert harness.only_item()["status"] == "STARTING"
    harness.command(archived("bus-start-labeling-set", 2.1))
    assert sorted(item["status"] for item in harness.items()) == ["REFUSED", "STARTING"]


@pytest.mark.parametrize("field", ["transformId", "inputS3Path", "x"])
def test_half_a_surrogate_pair_in_a_body_names_the_field(harness: HandlerHarness, field: str) -> None:
    body = {
        "transformId": TRANSFORM,
        "inputS3Path": f"s3://label-loop-data/labels/{TRANSFORM}/round-1.csv",
        field: "s3://label-loop-data/\ud800",
    }
    response = harness.rest(rest_sample(IMPORT, body=body))
    assert (response.status, [error["pointer"] for error in response.body["errors"]]) == (422, [f"#/{field}"])
    assert harness.items() == []


def test_people_behind_one_role_are_one_caller_and_their_session_is_recorded(harness: HandlerHarness) -> None:
    role = "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Data_0123456789abcdef"
    responses = []
    for person in ("carol@example.com", "dave@example.com"):
        event = sample(SET)
        event["requestContext"]["identity"]["userArn"] = f"{role}/{person}"
        responses.append(harness.rest(event))
    assert responses[1].headers["idempotency-replayed"] == "true"
    assert [response.body["requestedBySession"] for response in responses] == ["carol@example.com"] * 2
    assert responses[0].body["requestedBy"] == role
