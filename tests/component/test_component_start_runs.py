"""POST /v1/labeling-set-runs and /v1/label-import-runs: each kind of response, and that one key starts one run."""

from typing import Any
from urllib.parse import urljoin

import pytest

from core.runs import run_id
from local.glue.faults import CallFault, FaultPlan
from tests.component.handler_harness import HandlerHarness
from tests.component.sample_events import BUCKET, TRANSFORM, rest_sample, sample, set_header

SET, IMPORT = "api-start-labeling-set", "api-start-import"
CALLER = "arn:aws:sts::123456789012:assumed-role/labeling-team"
START_SET, START_IMPORT = "StartMLLabelingSetGenerationTaskRun", "StartImportLabelsTaskRun"


def test_start_returns_the_run_and_its_location(harness: HandlerHarness) -> None:
    response = harness.rest(sample(SET))
    (glue_run,) = harness.glue_runs()
    id_ = run_id(CALLER, "nightly-2026-11-22")
    folder = f"s3://{BUCKET}/labeling-sets/{id_}/"

    assert response.status == 202
    assert response.headers["location"] == f"task-runs/{id_}"
    assert int(response.headers["retry-after"]) > 0
    assert "idempotency-replayed" not in response.headers
    times = {name: response.body.pop(name) for name in ("requestedOn", "startedOn")}
    assert all(time.endswith("Z") for time in times.values())
    assert response.body == {
        "id": id_,
        "transformId": TRANSFORM,
        "taskType": "LABELING_SET_GENERATION",
        "status": "STARTING",
        "taskRunId": glue_run["TaskRunId"],
        "outputS3Path": folder,
        "inputS3Path": None,
        "replaceAllLabels": None,
        "requestedBy": CALLER,
        "requestedBySession": "alice",
        "completedOn": None,
        "executionTime": None,
        "error": None,
        "waitingFor": None,
    }
    assert glue_run["Properties"]["LabelingSetGenerationTaskRunProperties"]["OutputS3Path"] == folder


@pytest.mark.parametrize(("name", "replaces"), [(IMPORT, False), ("api-start-import-replace", True)])
def test_import_appends_unless_replace_all_labels_is_set(harness: HandlerHarness, name: str, replaces: bool) -> None:  # noqa: FBT001  a parameter
    response = harness.rest(sample(name))
    path = f"s3://{BUCKET}/labels/{TRANSFORM}/round-1.csv"

    assert (response.status, response.body["taskType"]) == (202, "IMPORT_LABELS")
    assert (response.body["inputS3Path"], response.body["replaceAllLabels"]) == (path, replaces)
    assert response.body["outputS3Path"] is None
    (glue_run,) = harness.glue_runs()
    assert glue_run["Properties"]["ImportLabelsTaskRunProperties"] == {"InputS3Path": path, "Replace": replaces}


def test_start_makes_three_aws_calls_and_a_replay_one(harness: HandlerHarness) -> None:
    harness.rest(sample(SET))
    assert harness.calls == ["TransactWriteItems", START_SET, "PutItem"]
    harness.calls.clear()
    harness.rest(sample("api-start-labeling-set-again"))
    assert harness.calls == ["GetItem"]


def test_replay_returns_the_same_run_with_its_current_status(harness: HandlerHarness) -> None:
    first = harness.rest(sample(SET))
    harness.run_glue_until("FAILED")  # its table was never put into S3

    replay = harness.rest(sample("api-start-labeling-set-again"))

    assert (replay.status, replay.headers["idempotency-replayed"]) == (202, "true")
    assert (replay.body["id"], replay.body["taskRunId"]) == (first.body["id"], first.body["taskRunId"])
    assert replay.body["status"] == "FAILED"
    assert len(harness.glue_runs()) == 1


def test_same_key_from_another_caller_starts_another_run(harness: HandlerHarness) -> None:
    first = harness.rest(sample(SET))
    second = harness.rest(rest_sample(SET, role="another-team"))
    assert (first.status, second.status) == (202, 202)
    assert first.body["id"] != second.body["id"]
    assert "idempotency-replayed" not in second.headers
    assert len(harness.glue_runs()) == 2


def test_role_is_the_same_caller_in_every_session(harness: HandlerHarness) -> None:
    harness.rest(sample(SET))
    event = sample(SET)
    event["requestContext"]["identity"]["userArn"] = f"{CALLER}/another-session"
    response = harness.rest(event)
    assert response.headers["idempotency-replayed"] == "true"
    assert response.body["requestedBy"] == CALLER


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("idempotency-key", "nightly-2026-11-22"),
        ("IDEMPOTENCY-KEY", '"nightly-2026-11-22"'),
        ("Idempotency-Key", '  "nightly-2026-11-22" '),
    ],
)
def test_key_is_the_same_quoted_or_bare_and_in_any_header_case(harness: HandlerHarness, header: str, key: str) -> None:
    event = sample(SET)
    set_header(event, "Idempotency-Key", None)
    set_header(event, header, key)
    assert harness.rest(event).body["id"] == run_id(CALLER, "nightly-2026-11-22")


@pytest.mark.parametrize(
    "key",
    ["", '""', "two words", '"two words"', "k" * 256, "schlüssel", '"open', "a\tb", '"a";q=1', "a, b"],
)
def test_malformed_key_returns_400_and_starts_nothing(harness: HandlerHarness, key: str) -> None:
    response = harness.rest(rest_sample(SET, key=key))
    assert (response.status, response.headers["content-type"]) == (400, "application/problem+json")
    assert "Idempotency-Key" in response.body["detail"]
    assert harness.items() == []
    assert harness.nothing_was_started()


def test_repeated_key_header_returns_400_and_starts_nothing(harness: HandlerHarness) -> None:
    event = sample(SET)
    event["multiValueHeaders"]["Idempotency-Key"] = ["key-1", "key-2"]
    response = harness.rest(event)
    assert (response.status, response.body["title"]) == (400, "Invalid header")
    assert harness.items() == []


def test_longest_key_is_accepted(harness: HandlerHarness) -> None:
    assert harness.rest(rest_sample(SET, key="k" * 255)).status == 202


def test_first_request_in_flight_returns_409_with_retry_after(harness: HandlerHarness) -> None:
    harness.rest(sample(SET))
    lease = {"S": "2999-01-01T00:00:00.000000+00:00"}
    harness.dynamodb.update_item(
        TableName="ledger",
        Key={"id": {"S": run_id(CALLER, "nightly-2026-11-22")}},
        UpdateExpression="SET #status = :reserved, leaseUntil = :lease REMOVE taskRunId",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":reserved": {"S": "RESERVED"}, ":lease": lease},
    )
    response = harness.rest(sample("api-start-labeling-set-again"))
    assert (response.status, response.body["title"]) == (409, "Request still in flight")
    assert int(response.headers["retry-after"]) > 0
    assert len(harness.glue_start_calls()) == 1


def test_runs_are_queued_at_the_glue_limit_and_a_full_queue_returns_429(harness: HandlerHarness) -> None:
    responses = [harness.rest(rest_sample(SET, key=f"key-{number}")) for number in range(6)]
    assert [response.status for response in responses] == [202, 202, 202, 202, 202, 429]
    assert [response.body["status"] for response in responses[:5]] == ["STARTING"] * 3 + ["QUEUED"] * 2
    assert responses[5].body["title"] == "Queue full"
    assert int(responses[5].headers["retry-after"]) > 0
    assert len(harness.items()) == 5
    assert len(harness.glue_runs()) == 3


def test_throttled_start_returns_503_and_may_be_sent_again(harness: HandlerHarness) -> None:
    harness.glue.faults.apply(FaultPlan((CallFault(START_SET, "throttling"),), hold_runs=True))
    response = harness.rest(sample(SET))
    assert (response.status, response.body["title"]) == (503, "Try again later")
    assert int(response.headers["retry-after"]) > 0
    assert (harness.items(), harness.glue_runs()) == ([], [])

    assert harness.rest(sample(SET)).status == 202
    assert len(harness.glue_runs()) == 1


@pytest.mark.parametrize(
    ("fault", "started"),
    [("lost-reply", 1), ("lost-request", 0), ("late-reply", 1), ("internal-error", 0), ("internal-error-after", 1)],
)
def test_lost_response_is_unconfirmed_until_the_run_is_looked_up(
    harness: HandlerHarness,
    fault: Any,  # noqa: ANN401  a FaultKind
    started: int,
) -> None:
    harness.glue.faults.apply(FaultPlan((CallFault(START_SET, fault, seconds=30),), hold_runs=True))
    response = harness.rest(sample(SET))
    assert (response.status, response.body["status"], response.body["taskRunId"]) == (202, "UNCONFIRMED", None)
    assert len(harness.glue_start_calls()) == 1
    assert len(harness.glue_runs()) == started
    assert harness.rest(sample("api-start-labeling-set-again")).body["status"] == "UNCONFIRMED"

    harness.reconcile()

    (glue_run,) = harness.glue_runs()
    assert (harness.only_item()["status"], harness.only_item()["taskRunId"]) == ("STARTING", glue_run["TaskRunId"])
    assert len(harness.glue_start_calls()) == 2 - started


def test_refused_run_is_recorded_and_its_key_may_be_sent_again(harness: HandlerHarness) -> None:
    missing = {"transformId": TRANSFORM, "inputS3Path": f"s3://{BUCKET}/labels/{TRANSFORM}/later.csv"}
    first = harness.rest(rest_sample(IMPORT, body=missing))
    event_path = sample(IMPORT)["path"]
    assert (first.status, first.body["title"]) == (422, "Invalid label file")
    (missing_file,) = first.body["errors"]
    assert missing_file["pointer"] == "#/inputS3Path"
    assert "later.csv" in missing_file["detail"]
    recorded = harness.rest(rest_sample("api-get-task-run", path=urljoin(event_path, first.body["instance"])))
    assert (recorded.body["status"], recorded.body["error"]["code"]) == ("REFUSED", "INVALID_LABEL_FILE")

    harness.s3.copy_object(
        Bucket=BUCKET, Key=f"labels/{TRANSFORM}/later.csv", CopySource=f"{BUCKET}/labels/{TRANSFORM}/round-1.csv"
    )
    again = rest_sample(IMPORT, body=missing)
    again["requestContext"]["requestId"] = "another-request"
    assert harness.rest(again).status == 202
    assert harness.only_item()["attempt"] == "2"


def test_imports_of_a_transform_run_one_at_a_time(harness: HandlerHarness) -> None:
    responses = [harness.rest(rest_sample(IMPORT, key=f"import-{number}")) for number in range(2)]
    assert [response.body["status"] for response in responses] == ["STARTING", "QUEUED"]
    assert harness.glue_start_calls() == [START_IMPORT]


def test_correlation_id_of_the_request_is_in_the_event(harness: HandlerHarness) -> None:
    harness.rest(sample(SET))
    harness.deliver_stream()
    (event,) = harness.published_events()
    metadata = event["detail"]["metadata"]
    assert metadata["correlationId"] == "order-4711"
    assert metadata["causationId"] == sample(SET)["requestContext"]["requestId"]


def test_request_id_is_the_default_correlation_id(harness: HandlerHarness) -> None:
    event = sample(SET)
    set_header(event, "X-Correlation-Id", None)
    harness.rest(event)
    assert harness.only_item()["correlationId"] == event["requestContext"]["requestId"]
