"""What any AWS client may expect of Glue's ML part, in process and over HTTP alike."""

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

from tests.glue_emulator.lab import COLUMNS, TWO_SETS, WHO, Lab
from tests.glue_emulator.servers import Servers


def refused(call: Any, **asked: Any) -> Mapping[str, Any]:  # noqa: ANN401 - any operation
    with pytest.raises(ClientError) as caught:
        call(**asked)
    response: Mapping[str, Any] = caught.value.response
    return response


def test_the_whole_loop(any_lab: Lab) -> None:
    transform = any_lab.transform(Description="who is who", Tags={"team": "people"})
    before = any_lab.glue.get_ml_transform(TransformId=transform)
    assert before["Status"] == "NOT_READY"
    assert before["LabelCount"] == 0
    assert [(column["Name"], column["DataType"]) for column in before["Schema"]] == [(c, "string") for c in COLUMNS]

    run = any_lab.succeeded(transform, any_lab.start_labeling(transform, "first/"))
    assert run["Properties"] == {
        "TaskType": "LABELING_SET_GENERATION",
        "LabelingSetGenerationTaskRunProperties": {"OutputS3Path": f"s3://{any_lab.bucket}/first/"},
    }
    assert run["StartedOn"] <= run["LastModifiedOn"] == run["CompletedOn"]
    (key,) = any_lab.listed("first/")
    header, *rows = csv.reader(io.StringIO(any_lab.get(key).decode("utf-8")))
    assert header == ["labeling_set_id", "label", *COLUMNS]
    assert {row[1] for row in rows} == {""}
    assert len({row[0] for row in rows}) > 1
    assert {row[2] for row in rows} <= set(WHO)

    any_lab.succeeded(transform, any_lab.start_import(transform, any_lab.answered("first/")))
    taught = any_lab.glue.get_ml_transform(TransformId=transform)
    assert taught["Status"] == "READY"
    assert taught["LabelCount"] == len(rows)
    assert taught["LastModifiedOn"] > before["LastModifiedOn"]
    assert "EvaluationMetrics" not in taught

    any_lab.succeeded(transform, any_lab.glue.start_ml_evaluation_task_run(TransformId=transform)["TaskRunId"])
    metrics = any_lab.glue.get_ml_transform(TransformId=transform)["EvaluationMetrics"]["FindMatchesMetrics"]
    importances = [column["Importance"] for column in metrics["ColumnImportances"]]
    assert importances == sorted(importances, reverse=True)
    assert sum(importances) == pytest.approx(1)
    matrix = metrics["ConfusionMatrix"]
    true, false = matrix["NumTruePositives"], matrix["NumFalsePositives"]
    assert metrics["Precision"] == pytest.approx(true / (true + false))
    assert 0 < metrics["AreaUnderPRCurve"] <= 1

    path = f"s3://{any_lab.bucket}/export"
    exported = any_lab.glue.start_export_labels_task_run(TransformId=transform, OutputS3Path=path)["TaskRunId"]
    any_lab.succeeded(transform, exported)
    (key,) = any_lab.listed("export/")
    assert key.startswith(f"export/{transform}_labels_")
    assert sorted(csv.reader(io.StringIO(any_lab.get(key).decode()))) == sorted(
        csv.reader(io.StringIO(any_lab.answered("first/").decode()))
    )


def test_a_second_round_asks_about_other_rows(any_lab: Lab) -> None:
    transform = any_lab.transform()
    any_lab.succeeded(transform, any_lab.start_labeling(transform, "first/"))
    any_lab.succeeded(transform, any_lab.start_import(transform, any_lab.answered("first/")))
    any_lab.succeeded(transform, any_lab.start_labeling(transform, "second/"))
    first, second = (
        {frozenset(row[2] for row in rows) for rows in sets_of(any_lab.answered(prefix))} for prefix in ("first/", "second/")
    )
    assert second
    assert not first & second


def sets_of(body: bytes) -> list[list[list[str]]]:
    rows = list(csv.reader(io.StringIO(body.decode())))[1:]
    return [[row for row in rows if row[0] == set_id] for set_id in {row[0] for row in rows}]


def test_times_come_as_epoch_seconds_with_their_request_id(http_lab: Lab, servers: Servers) -> None:
    transform = http_lab.transform()
    request = urllib.request.Request(  # noqa: S310 - our own server
        servers.glue_url,
        json.dumps({"TransformId": transform, "NotInTheModel": 1, "AlsoNot": None}).encode(),
        {"X-Amz-Target": "AWSGlue.GetMLTransform", "Content-Type": "application/x-amz-json-1.1"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - our own server
        document = json.load(answer)
        assert answer.headers["content-type"] == "application/x-amz-json-1.1"
        assert len(answer.headers["x-amzn-requestid"]) == 36
    assert abs(document["CreatedOn"] - datetime.now(UTC).timestamp()) < 60
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(  # noqa: S310 - our own server
            urllib.request.Request(  # noqa: S310 - our own server
                servers.glue_url, b"{}", {"X-Amz-Target": "AWSGlue.GetTables"}
            ),
            timeout=10,
        )
    with caught.value as answer:
        assert json.load(answer)["__type"] == "UnknownOperationException"
        assert answer.code == 400


@pytest.mark.parametrize(
    ("operation", "asked", "message"),
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
def test_what_is_not_there(any_lab: Lab, operation: str, asked: dict[str, str], message: str) -> None:
    transform = any_lab.transform()
    asked = {name: value.replace("THE", transform) for name, value in asked.items()}
    response = refused(getattr(any_lab.glue, operation), **asked)
    assert response["Error"] == {"Code": "EntityNotFoundException", "Message": message.replace("THE", transform)}
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_an_unready_transform_cannot_be_evaluated(any_lab: Lab) -> None:
    response = refused(any_lab.glue.start_ml_evaluation_task_run, TransformId=any_lab.transform())
    assert response["Error"] == {
        "Code": "MLTransformNotReadyException",
        "Message": "This operation can only be applied to a transform that is in a READY state.",
    }


def test_values_outside_the_model_are_refused(any_lab: Lab) -> None:
    transform = any_lab.transform()
    for asked in (
        {"MaxResults": 1001},
        {"Filter": {"Status": "DONE"}},
        {"Sort": {"Column": "NAME", "SortDirection": "ASCENDING"}},
        {"NextToken": "made-up"},
    ):
        response = refused(any_lab.glue.get_ml_task_runs, TransformId=transform, **asked)
        assert response["Error"]["Code"] == "InvalidInputException", asked
    response = refused(any_lab.glue.get_ml_transform, TransformId="x" * 256)
    assert "length less than or equal to 255" in response["Error"]["Message"]
    client = any_lab.new_client(Config(parameter_validation=False))
    response = refused(client.get_ml_transform, TransformId=7)
    assert response["Error"]["Code"] == "SerializationException"
    response = refused(client.get_ml_transform)
    assert response["Error"]["Code"] == "InvalidInputException"


def test_a_start_sent_twice_starts_twice(any_lab: Lab) -> None:
    any_lab.switch_faults({"holdRuns": True})
    transform = any_lab.transform()
    assert any_lab.start_labeling(transform) != any_lab.start_labeling(transform)
    assert len(any_lab.glue.get_ml_task_runs(TransformId=transform)["TaskRuns"]) == 2


def test_a_held_run_can_be_cancelled_and_cancelling_again_changes_nothing(any_lab: Lab) -> None:
    any_lab.switch_faults({"holdRuns": True})
    transform = any_lab.transform()
    run = any_lab.start_labeling(transform)
    assert any_lab.run(transform, run)["Status"] == "STARTING"
    assert any_lab.glue.cancel_ml_task_run(TransformId=transform, TaskRunId=run)["Status"] in ("STOPPING", "STOPPED")
    stopped = any_lab.ended(transform, run)
    assert stopped["Status"] == "STOPPED"
    assert any_lab.glue.cancel_ml_task_run(TransformId=transform, TaskRunId=run)["Status"] == "STOPPED"
    assert any_lab.run(transform, run) == stopped


def test_a_lost_reply_leaves_a_run_behind(any_lab: Lab) -> None:
    transform = any_lab.transform()
    any_lab.switch_faults(
        {"holdRuns": True, "calls": [{"operation": "StartMLLabelingSetGenerationTaskRun", "kind": "lost-reply"}]}
    )
    with pytest.raises(ConnectionClosedError):
        any_lab.start_labeling(transform)
    (run,) = any_lab.glue.get_ml_task_runs(TransformId=transform)["TaskRuns"]
    assert run["Properties"]["LabelingSetGenerationTaskRunProperties"]["OutputS3Path"] == f"s3://{any_lab.bucket}/out/"
    any_lab.start_labeling(transform)


def test_a_client_that_retries_starts_three_runs_where_it_wanted_one(any_lab: Lab) -> None:
    """boto3's default: three lost answers fill the transform, and the next try looks like a clean refusal."""
    transform = any_lab.transform()
    start = "StartMLLabelingSetGenerationTaskRun"
    any_lab.switch_faults({"holdRuns": True, "calls": [{"operation": start, "kind": "lost-reply", "times": 3}]})
    client = any_lab.new_client(Config(retries={"mode": "standard", "total_max_attempts": 3}))
    asked = {"TransformId": transform, "OutputS3Path": "s3://b/x"}
    with pytest.raises(ConnectionClosedError):
        client.start_ml_labeling_set_generation_task_run(**asked)
    response = refused(any_lab.glue.start_ml_labeling_set_generation_task_run, **asked)
    assert response["Error"]["Code"] == "ConcurrentRunsExceededException"
    assert len(any_lab.glue.get_ml_task_runs(TransformId=transform)["TaskRuns"]) == 3


def test_a_reply_that_comes_too_late(any_lab: Lab) -> None:
    transform = any_lab.transform()
    any_lab.switch_faults({"holdRuns": True, "calls": [{"kind": "late-reply", "seconds": 3}]})
    client = any_lab.new_client(Config(read_timeout=1, retries={"total_max_attempts": 1}))
    with pytest.raises(ReadTimeoutError):
        client.start_ml_labeling_set_generation_task_run(TransformId=transform, OutputS3Path="s3://b/x")
    assert len(any_lab.glue.get_ml_task_runs(TransformId=transform)["TaskRuns"]) == 1


@pytest.mark.parametrize(
    ("kind", "code", "status", "runs"),
    [
        ("throttling", "ThrottlingException", 400, 0),
        ("internal-error", "InternalServiceException", 500, 0),
        ("internal-error-after", "InternalServiceException", 500, 1),
    ],
)
def test_a_bad_answer(any_lab: Lab, kind: str, code: str, status: int, runs: int) -> None:
    transform = any_lab.transform()
    start = "StartMLLabelingSetGenerationTaskRun"
    any_lab.switch_faults({"holdRuns": True, "calls": [{"operation": start, "kind": kind}]})
    response = refused(any_lab.glue.start_ml_labeling_set_generation_task_run, TransformId=transform, OutputS3Path="s3://b/x")
    assert (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
    assert len(any_lab.glue.get_ml_task_runs(TransformId=transform)["TaskRuns"]) == runs


def test_a_lost_request_starts_nothing(any_lab: Lab) -> None:
    transform = any_lab.transform()
    any_lab.switch_faults({"calls": [{"kind": "lost-request"}]})
    with pytest.raises(ConnectionClosedError):
        any_lab.start_labeling(transform)
    assert any_lab.glue.get_ml_task_runs(TransformId=transform)["TaskRuns"] == []


def test_a_new_run_is_listed_late_and_its_slot_freed_late(any_lab: Lab) -> None:
    any_lab.switch_faults({"listingDelaySeconds": 600, "slotReleaseSeconds": 600})
    transform = any_lab.transform()
    for _ in range(3):
        run = any_lab.start_import(transform, TWO_SETS)
        any_lab.succeeded(transform, run)
    assert any_lab.glue.get_ml_task_runs(TransformId=transform)["TaskRuns"] == []
    refused(any_lab.start_labeling, transform=transform)
    any_lab.switch_faults({"holdRuns": True})
    assert len(any_lab.glue.get_ml_task_runs(TransformId=transform)["TaskRuns"]) == 3
    any_lab.start_labeling(transform)


def test_filters_by_time_take_a_client_s_datetimes(any_lab: Lab) -> None:
    transform = any_lab.transform()
    any_lab.succeeded(transform, any_lab.start_import(transform, TWO_SETS))
    now = datetime.now(UTC)

    def runs(**wanted: datetime) -> int:
        return len(any_lab.glue.get_ml_task_runs(TransformId=transform, Filter=wanted)["TaskRuns"])

    assert runs(StartedAfter=now - timedelta(minutes=1), StartedBefore=now + timedelta(minutes=1)) == 1
    assert runs(StartedAfter=now + timedelta(minutes=1)) == 0
    assert runs(StartedBefore=now - timedelta(minutes=1)) == 0
