"""POST /v1/labeling-set-runs and /v1/label-import-runs: every row of the contract's table, and that one key means one run."""

from typing import Any

import pytest

from core.runs import run_id
from local.glue.faults import CallFault, FaultPlan
from tests.component.handler_harness import HandlerHarness
from tests.component.samples import BUCKET, TRANSFORM, rest_sample, sample, set_header

SET, IMPORT = "api-start-labeling-set", "api-start-import"
CALLER = "arn:aws:sts::123456789012:assumed-role/labeling-team"
START_SET, START_IMPORT = "StartMLLabelingSetGenerationTaskRun", "StartImportLabelsTaskRun"


def test_a_start_answers_with_the_whole_run_and_where_to_find_it(harness: HandlerHarness) -> None:
    answer = harness.rest(sample(SET))
    (glue_run,) = harness.glue_runs()
    own = run_id(CALLER, "nightly-2026-11-22")
    folder = f"s3://{BUCKET}/labeling-sets/{own}/"

    assert answer.status == 202
    assert answer.headers["location"] == f"/v1/task-runs/{own}"
    assert int(answer.headers["retry-after"]) > 0
    assert "idempotency-replayed" not in answer.headers
    times = {name: answer.body.pop(name) for name in ("requestedOn", "startedOn")}
    assert all(time.endswith("Z") for time in times.values())
    assert answer.body == {
        "id": own,
        "transformId": TRANSFORM,
        "taskType": "LABELING_SET_GENERATION",
        "status": "STARTING",
        "taskRunId": glue_run["TaskRunId"],
        "outputS3Path": folder,
        "inputS3Path": None,
        "replaceAllLabels": None,
        "requestedBy": CALLER,
        "completedOn": None,
        "executionTime": None,
        "error": None,
    }
    assert glue_run["Properties"]["LabelingSetGenerationTaskRunProperties"]["OutputS3Path"] == folder


@pytest.mark.parametrize(("name", "replaces"), [(IMPORT, False), ("api-start-import-replace", True)])
def test_an_import_appends_unless_it_says_that_it_replaces(harness: HandlerHarness, name: str, replaces: bool) -> None:  # noqa: FBT001  a parameter
    answer = harness.rest(sample(name))
    path = f"s3://{BUCKET}/labels/{TRANSFORM}/round-1.csv"

    assert (answer.status, answer.body["taskType"]) == (202, "IMPORT_LABELS")
    assert (answer.body["inputS3Path"], answer.body["replaceAllLabels"]) == (path, replaces)
    assert answer.body["outputS3Path"] is None
    (glue_run,) = harness.glue_runs()
    assert glue_run["Properties"]["ImportLabelsTaskRunProperties"] == {"InputS3Path": path, "Replace": replaces}


def test_a_start_takes_three_aws_calls_and_its_replay_one(harness: HandlerHarness) -> None:
    harness.rest(sample(SET))
    assert harness.calls == ["TransactWriteItems", START_SET, "PutItem"]
    harness.calls.clear()
    harness.rest(sample("api-start-labeling-set-again"))
    assert harness.calls == ["GetItem"]


def test_same_key_and_payload_gives_the_run_as_it_stands_now(harness: HandlerHarness) -> None:
    first = harness.rest(sample(SET))
    harness.work_until("FAILED")  # its table was never put into S3

    again = harness.rest(sample("api-start-labeling-set-again"))

    assert (again.status, again.headers["idempotency-replayed"]) == (202, "true")
    assert (again.body["id"], again.body["taskRunId"]) == (first.body["id"], first.body["taskRunId"])
    assert again.body["status"] == "FAILED"
    assert len(harness.glue_runs()) == 1


def test_same_key_from_another_caller_is_a_request_of_its_own(harness: HandlerHarness) -> None:
    first = harness.rest(sample(SET))
    other = harness.rest(rest_sample(SET, role="another-team"))
    assert (first.status, other.status) == (202, 202)
    assert first.body["id"] != other.body["id"]
    assert "idempotency-replayed" not in other.headers
    assert len(harness.glue_runs()) == 2


def test_a_role_is_the_same_caller_in_every_session(harness: HandlerHarness) -> None:
    harness.rest(sample(SET))
    event = sample(SET)
    event["requestContext"]["identity"]["userArn"] = f"{CALLER}/another-session"
    answer = harness.rest(event)
    assert answer.headers["idempotency-replayed"] == "true"
    assert answer.body["requestedBy"] == CALLER


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("idempotency-key", "nightly-2026-11-22"),
        ("IDEMPOTENCY-KEY", '"nightly-2026-11-22"'),
        ("Idempotency-Key", '  "nightly-2026-11-22" '),
    ],
)
def test_a_key_is_the_same_quoted_or_bare_under_a_header_in_any_case(harness: HandlerHarness, header: str, key: str) -> None:
    event = sample(SET)
    set_header(event, "Idempotency-Key", None)
    set_header(event, header, key)
    assert harness.rest(event).body["id"] == run_id(CALLER, "nightly-2026-11-22")


@pytest.mark.parametrize(
    "key",
    ["", '""', "two words", '"two words"', "k" * 256, "schlüssel", '"open', "a\tb", '"a";q=1', "a, b"],
)
def test_a_malformed_key_is_a_400_and_starts_nothing(harness: HandlerHarness, key: str) -> None:
    answer = harness.rest(rest_sample(SET, key=key))
    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")
    assert "Idempotency-Key" in answer.body["detail"]
    assert harness.items() == []
    assert harness.nothing_was_started()


def test_a_key_sent_twice_is_a_400_and_starts_nothing(harness: HandlerHarness) -> None:
    event = sample(SET)
    event["multiValueHeaders"]["Idempotency-Key"] = ["one", "two"]
    answer = harness.rest(event)
    assert (answer.status, answer.body["title"]) == (400, "Invalid header")
    assert harness.items() == []


def test_the_longest_key_is_taken(harness: HandlerHarness) -> None:
    assert harness.rest(rest_sample(SET, key="k" * 255)).status == 202


def test_first_request_still_in_flight_is_a_409_with_retry_after(harness: HandlerHarness) -> None:
    harness.rest(sample(SET))
    lease = {"S": "2999-01-01T00:00:00.000000+00:00"}
    harness.dynamodb.update_item(
        TableName="ledger",
        Key={"id": {"S": run_id(CALLER, "nightly-2026-11-22")}},
        UpdateExpression="SET #status = :reserved, leaseUntil = :lease REMOVE taskRunId",
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":reserved": {"S": "RESERVED"}, ":lease": lease},
    )
    answer = harness.rest(sample("api-start-labeling-set-again"))
    assert (answer.status, answer.body["title"]) == (409, "Request still in flight")
    assert int(answer.headers["retry-after"]) > 0
    assert len(harness.starts()) == 1


def test_at_glue_s_limit_runs_queue_and_a_full_queue_is_a_429(harness: HandlerHarness) -> None:
    answers = [harness.rest(rest_sample(SET, key=f"key-{number}")) for number in range(6)]
    assert [answer.status for answer in answers] == [202, 202, 202, 202, 202, 429]
    assert [answer.body["status"] for answer in answers[:5]] == ["STARTING"] * 3 + ["QUEUED"] * 2
    assert answers[5].body["title"] == "Queue full"
    assert int(answers[5].headers["retry-after"]) > 0
    assert len(harness.items()) == 5
    assert len(harness.glue_runs()) == 3


def test_a_throttled_start_is_a_503_leaves_nothing_and_may_be_sent_again(harness: HandlerHarness) -> None:
    harness.glue.faults.apply(FaultPlan((CallFault(START_SET, "throttling"),), hold_runs=True))
    answer = harness.rest(sample(SET))
    assert (answer.status, answer.body["title"]) == (503, "Try again later")
    assert int(answer.headers["retry-after"]) > 0
    assert (harness.items(), harness.glue_runs()) == ([], [])

    assert harness.rest(sample(SET)).status == 202
    assert len(harness.glue_runs()) == 1


@pytest.mark.parametrize(
    ("fault", "started"),
    [("lost-reply", 1), ("lost-request", 0), ("late-reply", 1), ("internal-error", 0), ("internal-error-after", 1)],
)
def test_a_lost_answer_is_unconfirmed_asked_once_and_settled_by_looking(
    harness: HandlerHarness,
    fault: Any,  # noqa: ANN401  a FaultKind
    started: int,
) -> None:
    harness.glue.faults.apply(FaultPlan((CallFault(START_SET, fault, seconds=30),), hold_runs=True))
    answer = harness.rest(sample(SET))
    assert (answer.status, answer.body["status"], answer.body["taskRunId"]) == (202, "UNCONFIRMED", None)
    assert len(harness.starts()) == 1
    assert len(harness.glue_runs()) == started
    assert harness.rest(sample("api-start-labeling-set-again")).body["status"] == "UNCONFIRMED"

    harness.tick()

    (glue_run,) = harness.glue_runs()
    assert (harness.item()["status"], harness.item()["taskRunId"]) == ("STARTING", glue_run["TaskRunId"])
    assert len(harness.starts()) == 2 - started


def test_a_refused_run_is_on_record_and_its_key_may_be_sent_again(harness: HandlerHarness) -> None:
    missing = {"transformId": TRANSFORM, "inputS3Path": f"s3://{BUCKET}/labels/{TRANSFORM}/later.csv"}
    first = harness.rest(rest_sample(IMPORT, body=missing))
    assert (first.status, first.body["title"]) == (422, "Invalid label file")
    (missing_file,) = first.body["errors"]
    assert missing_file["pointer"] == "#/inputS3Path"
    assert "later.csv" in missing_file["detail"]
    kept = harness.rest(rest_sample("api-get-task-run", path=first.body["instance"]))
    assert (kept.body["status"], kept.body["error"]["code"]) == ("REFUSED", "INVALID_LABEL_FILE")

    harness.s3.copy_object(
        Bucket=BUCKET, Key=f"labels/{TRANSFORM}/later.csv", CopySource=f"{BUCKET}/labels/{TRANSFORM}/round-1.csv"
    )
    again = rest_sample(IMPORT, body=missing)
    again["requestContext"]["requestId"] = "another-request"
    assert harness.rest(again).status == 202
    assert harness.item()["attempt"] == "2"


def test_imports_of_a_transform_run_one_at_a_time(harness: HandlerHarness) -> None:
    answers = [harness.rest(rest_sample(IMPORT, key=f"import-{number}")) for number in range(2)]
    assert [answer.body["status"] for answer in answers] == ["STARTING", "QUEUED"]
    assert harness.starts() == [START_IMPORT]


def test_the_correlation_id_goes_from_the_request_into_the_event(harness: HandlerHarness) -> None:
    harness.rest(sample(SET))
    harness.deliver_stream()
    (event,) = harness.on_bus()
    metadata = event["detail"]["metadata"]
    assert metadata["correlationId"] == "order-4711"
    assert metadata["causationId"] == sample(SET)["requestContext"]["requestId"]


def test_without_a_correlation_id_the_request_s_own_id_stands_in(harness: HandlerHarness) -> None:
    event = sample(SET)
    set_header(event, "X-Correlation-Id", None)
    harness.rest(event)
    assert harness.item()["correlationId"] == event["requestContext"]["requestId"]
