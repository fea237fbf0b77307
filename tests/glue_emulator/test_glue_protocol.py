"""The Glue ML API as AWS clients see it, in process and over HTTP."""

import csv
import io
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from tests.glue_emulator.emulator import Emulator
from tests.glue_emulator.people import COLUMNS, PERSON_OF, TWO_SETS
from tests.glue_emulator.servers import Servers


def refused(call: Any, **args: Any) -> Mapping[str, Any]:  # noqa: ANN401 - any operation
    with pytest.raises(ClientError) as raised:
        call(**args)
    response: Mapping[str, Any] = raised.value.response
    return response


def test_the_label_loop_from_creation_to_export(any_emulator: Emulator) -> None:
    transform = any_emulator.create_transform(Description="people, each twice", Tags={"team": "people"})
    before = any_emulator.glue.get_ml_transform(TransformId=transform)
    assert before["Status"] == "NOT_READY"
    assert before["LabelCount"] == 0
    assert [(column["Name"], column["DataType"]) for column in before["Schema"]] == [(c, "string") for c in COLUMNS]

    run = any_emulator.wait_for_success(transform, any_emulator.start_labeling(transform, "first/"))
    assert run["Properties"] == {
        "TaskType": "LABELING_SET_GENERATION",
        "LabelingSetGenerationTaskRunProperties": {"OutputS3Path": f"s3://{any_emulator.bucket}/first/"},
    }
    assert run["StartedOn"] <= run["LastModifiedOn"] == run["CompletedOn"]
    (key,) = any_emulator.list_keys("first/")
    header, *rows = csv.reader(io.StringIO(any_emulator.get_object(key).decode("utf-8")))
    assert header == ["labeling_set_id", "label", *COLUMNS]
    assert {row[1] for row in rows} == {""}
    assert len({row[0] for row in rows}) > 1
    assert {row[2] for row in rows} <= set(PERSON_OF)

    any_emulator.wait_for_success(transform, any_emulator.start_import(transform, any_emulator.answer_labeling_set("first/")))
    trained = any_emulator.glue.get_ml_transform(TransformId=transform)
    assert trained["Status"] == "READY"
    assert trained["LabelCount"] == len(rows)
    assert trained["LastModifiedOn"] > before["LastModifiedOn"]
    assert "EvaluationMetrics" not in trained

    any_emulator.wait_for_success(transform, any_emulator.glue.start_ml_evaluation_task_run(TransformId=transform)["TaskRunId"])
    metrics = any_emulator.glue.get_ml_transform(TransformId=transform)["EvaluationMetrics"]["FindMatchesMetrics"]
    importances = [column["Importance"] for column in metrics["ColumnImportances"]]
    assert importances == sorted(importances, reverse=True)
    assert sum(importances) == pytest.approx(1)
    matrix = metrics["ConfusionMatrix"]
    true, false = matrix["NumTruePositives"], matrix["NumFalsePositives"]
    assert metrics["Precision"] == pytest.approx(true / (true + false))
    assert 0 < metrics["AreaUnderPRCurve"] <= 1

    path = f"s3://{any_emulator.bucket}/export"
    exported = any_emulator.glue.start_export_labels_task_run(TransformId=transform, OutputS3Path=path)["TaskRunId"]
    any_emulator.wait_for_success(transform, exported)
    (key,) = any_emulator.list_keys("export/")
    assert key.startswith(f"export/{transform}_labels_")
    assert sorted(csv.reader(io.StringIO(any_emulator.get_object(key).decode()))) == sorted(
        csv.reader(io.StringIO(any_emulator.answer_labeling_set("first/").decode()))
    )


def test_a_second_labeling_file_repeats_no_set_of_the_first(any_emulator: Emulator) -> None:
    transform = any_emulator.create_transform()
    any_emulator.wait_for_success(transform, any_emulator.start_labeling(transform, "first/"))
    any_emulator.wait_for_success(transform, any_emulator.start_import(transform, any_emulator.answer_labeling_set("first/")))
    any_emulator.wait_for_success(transform, any_emulator.start_labeling(transform, "second/"))
    first, second = (
        {frozenset(row[2] for row in rows) for rows in sets_of(any_emulator.answer_labeling_set(prefix))}
        for prefix in ("first/", "second/")
    )
    assert second
    assert not first & second


def sets_of(body: bytes) -> list[list[list[str]]]:
    rows = list(csv.reader(io.StringIO(body.decode())))[1:]
    return [[row for row in rows if row[0] == set_id] for set_id in {row[0] for row in rows}]


def test_responses_carry_epoch_seconds_and_a_request_id(http_emulator: Emulator, servers: Servers) -> None:
    transform = http_emulator.create_transform()
    request = urllib.request.Request(  # noqa: S310 - our own server
        servers.glue_url,
        json.dumps({"TransformId": transform, "NotInTheModel": 1, "AlsoNot": None}).encode(),
        {"X-Amz-Target": "AWSGlue.GetMLTransform", "Content-Type": "application/x-amz-json-1.1"},
    )
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - our own server
        document = json.load(response)
        assert response.headers["content-type"] == "application/x-amz-json-1.1"
        assert len(response.headers["x-amzn-requestid"]) == 36
    assert abs(document["CreatedOn"] - datetime.now(UTC).timestamp()) < 60
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(  # noqa: S310 - our own server
            urllib.request.Request(  # noqa: S310 - our own server
                servers.glue_url, b"{}", {"X-Amz-Target": "AWSGlue.GetTables"}
            ),
            timeout=10,
        )
    with raised.value as response:
        assert json.load(response)["__type"] == "UnknownOperationException"
        assert response.code == 400


@pytest.mark.parametrize(
    ("operation", "args", "message"),
    [
        ("get_ml_transform", {"TransformId": "tfm-x"}, "Cannot find MLTransform in account 000000000000 with handle tfm-x."),
        ("delete_ml_transform", {"TransformId": "tfm-x"}, "Cannot find MLTransform in account 000000000000 with handle tfm-x."),
        ("get_ml_task_runs", {"TransformId": "tfm-x"}, "Cannot find MLTransform in account 000000000000 with handle tfm-x."),
        (
            "get_ml_task_run",
            {"TransformId": "THE", "TaskRunId": "tsk-x"},
            "No ML Task Run found for tsk-x: in account 000000000000 for transform THE.",
        ),
        (
            "cancel_ml_task_run",
            {"TransformId": "THE", "TaskRunId": "tsk-x"},
            "No ML Task Run found for tsk-x: in account 000000000000 for transform THE.",
        ),
        (
            "start_export_labels_task_run",
            {"TransformId": "THE", "OutputS3Path": "s3://b/x"},
            "No labelset exists for transformId THE in account id 000000000000.",
        ),
    ],
)
def test_missing_transforms_runs_and_labels_are_reported_in_glues_words(
    any_emulator: Emulator, operation: str, args: dict[str, str], message: str
) -> None:
    transform = any_emulator.create_transform()
    args = {name: value.replace("THE", transform) for name, value in args.items()}
    response = refused(getattr(any_emulator.glue, operation), **args)
    assert response["Error"] == {"Code": "EntityNotFoundException", "Message": message.replace("THE", transform)}
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_evaluating_a_transform_that_is_not_ready_is_refused(any_emulator: Emulator) -> None:
    response = refused(any_emulator.glue.start_ml_evaluation_task_run, TransformId=any_emulator.create_transform())
    assert response["Error"] == {
        "Code": "MLTransformNotReadyException",
        "Message": "This operation can only be applied to a transform that is in a READY state.",
    }


def test_values_outside_the_api_model_are_refused(any_emulator: Emulator) -> None:
    transform = any_emulator.create_transform()
    for args in (
        {"MaxResults": 1001},
        {"Filter": {"Status": "DONE"}},
        {"Sort": {"Column": "NAME", "SortDirection": "ASCENDING"}},
        {"NextToken": "made-up"},
    ):
        response = refused(any_emulator.glue.get_ml_task_runs, TransformId=transform, **args)
        assert response["Error"]["Code"] == "InvalidInputException", args
    response = refused(any_emulator.glue.get_ml_transform, TransformId="x" * 256)
    assert "length less than or equal to 255" in response["Error"]["Message"]
    client = any_emulator.new_client(Config(parameter_validation=False))
    response = refused(client.get_ml_transform, TransformId=7)
    assert response["Error"]["Code"] == "SerializationException"
    response = refused(client.get_ml_transform)
    assert response["Error"]["Code"] == "InvalidInputException"


def test_a_start_sent_twice_creates_two_runs(any_emulator: Emulator) -> None:
    any_emulator.set_faults({"holdRuns": True})
    transform = any_emulator.create_transform()
    assert any_emulator.start_labeling(transform) != any_emulator.start_labeling(transform)
    assert len(any_emulator.glue.get_ml_task_runs(TransformId=transform)["TaskRuns"]) == 2


def test_cancelling_a_stopped_run_again_changes_nothing(any_emulator: Emulator) -> None:
    any_emulator.set_faults({"holdRuns": True})
    transform = any_emulator.create_transform()
    run = any_emulator.start_labeling(transform)
    assert any_emulator.get_run(transform, run)["Status"] == "STARTING"
    assert any_emulator.glue.cancel_ml_task_run(TransformId=transform, TaskRunId=run)["Status"] in ("STOPPING", "STOPPED")
    stopped = any_emulator.wait_until_ended(transform, run)
    assert stopped["Status"] == "STOPPED"
    assert any_emulator.glue.cancel_ml_task_run(TransformId=transform, TaskRunId=run)["Status"] == "STOPPED"
    assert any_emulator.get_run(transform, run) == stopped


def test_a_lost_reply_still_leaves_a_started_run(any_emulator: Emulator) -> None:
    transform = any_emulator.create_transform()
    any_emulator.set_faults(
        {"holdRuns": True, "calls": [{"operation": "StartMLLabelingSetGenerationTaskRun", "kind": "lost-reply"}]}
    )
    with pytest.raises(ConnectionClosedError):
        any_emulator.start_labeling(transform)
    (run,) = any_emulator.glue.get_ml_task_runs(TransformId=transform)["TaskRuns"]
    assert run["Properties"]["LabelingSetGenerationTaskRunProperties"]["OutputS3Path"] == f"s3://{any_emulator.bucket}/out/"
    any_emulator.start_labeling(transform)


def test_a_retrying_client_starts_a_run_per_attempt(any_emulator: Emulator) -> None:
    """With boto3's default retries, three lost replies use up the transform's three slots."""
    transform = any_emulator.create_transform()
    start = "StartMLLabelingSetGenerationTaskRun"
    any_emulator.set_faults({"holdRuns": True, "calls": [{"operation": start, "kind": "lost-reply", "times": 3}]})
    client = any_emulator.new_client(Config(retries={"mode": "standard", "total_max_attempts": 3}))
    request = {"TransformId": transform, "OutputS3Path": "s3://b/x"}
    with pytest.raises(ConnectionClosedError):
        client.start_ml_labeling_set_generation_task_run(**request)
    response = refused(any_emulator.glue.start_ml_labeling_set_generation_task_run, **request)
    assert response["Error"]["Code"] == "ConcurrentRunsExceededException"
    assert len(any_emulator.glue.get_ml_task_runs(TransformId=transform)["TaskRuns"]) == 3


def test_a_late_reply_times_out_but_its_run_has_started(any_emulator: Emulator) -> None:
    transform = any_emulator.create_transform()
    any_emulator.set_faults({"holdRuns": True, "calls": [{"kind": "late-reply", "seconds": 3}]})
    client = any_emulator.new_client(Config(read_timeout=1, retries={"total_max_attempts": 1}))
    with pytest.raises(ReadTimeoutError):
        client.start_ml_labeling_set_generation_task_run(TransformId=transform, OutputS3Path="s3://b/x")
    assert len(any_emulator.glue.get_ml_task_runs(TransformId=transform)["TaskRuns"]) == 1


@pytest.mark.parametrize(
    ("kind", "code", "status", "runs"),
    [
        ("throttling", "ThrottlingException", 400, 0),
        ("internal-error", "InternalServiceException", 500, 0),
        ("internal-error-after", "InternalServiceException", 500, 1),
    ],
)
def test_throttling_and_internal_errors_reach_the_client(
    any_emulator: Emulator, kind: str, code: str, status: int, runs: int
) -> None:
    transform = any_emulator.create_transform()
    start = "StartMLLabelingSetGenerationTaskRun"
    any_emulator.set_faults({"holdRuns": True, "calls": [{"operation": start, "kind": kind}]})
    response = refused(
        any_emulator.glue.start_ml_labeling_set_generation_task_run, TransformId=transform, OutputS3Path="s3://b/x"
    )
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
    assert len(any_emulator.glue.get_ml_task_runs(TransformId=transform)["TaskRuns"]) == runs


def test_a_lost_request_starts_no_run(any_emulator: Emulator) -> None:
    transform = any_emulator.create_transform()
    any_emulator.set_faults({"calls": [{"kind": "lost-request"}]})
    with pytest.raises(ConnectionClosedError):
        any_emulator.start_labeling(transform)
    assert any_emulator.glue.get_ml_task_runs(TransformId=transform)["TaskRuns"] == []


def test_listing_delay_and_slot_release_delay(any_emulator: Emulator) -> None:
    any_emulator.set_faults({"listingDelaySeconds": 600, "slotReleaseSeconds": 600})
    transform = any_emulator.create_transform()
    for _ in range(3):
        run = any_emulator.start_import(transform, TWO_SETS)
        any_emulator.wait_for_success(transform, run)
    assert any_emulator.glue.get_ml_task_runs(TransformId=transform)["TaskRuns"] == []
    refused(any_emulator.start_labeling, transform=transform)
    any_emulator.set_faults({"holdRuns": True})
    assert len(any_emulator.glue.get_ml_task_runs(TransformId=transform)["TaskRuns"]) == 3
    any_emulator.start_labeling(transform)


def test_runs_are_filtered_by_datetimes(any_emulator: Emulator) -> None:
    transform = any_emulator.create_transform()
    any_emulator.wait_for_success(transform, any_emulator.start_import(transform, TWO_SETS))
    now = datetime.now(UTC)

    def count_runs(**run_filter: datetime) -> int:
        return len(any_emulator.glue.get_ml_task_runs(TransformId=transform, Filter=run_filter)["TaskRuns"])

    assert count_runs(StartedAfter=now - timedelta(minutes=1), StartedBefore=now + timedelta(minutes=1)) == 1
    assert count_runs(StartedAfter=now + timedelta(minutes=1)) == 0
    assert count_runs(StartedBefore=now - timedelta(minutes=1)) == 0
