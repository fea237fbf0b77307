"""The label loop, driven by the AWS CLI and the AWS SDK for JavaScript v3."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.glue_emulator.clients.real_clients import Call, NotInstalled, Refused, aws_cli, js_sdk
from tests.glue_emulator.emulator import Emulator
from tests.glue_emulator.people import COLUMNS
from tests.glue_emulator.servers import Servers


@pytest.fixture(params=[aws_cli, js_sdk])
def call(request: pytest.FixtureRequest, servers: Servers) -> Iterator[Call]:
    with ExitStack() as stack:
        try:
            yield stack.enter_context(request.param(servers.glue_url))
        except NotInstalled as error:
            pytest.skip(f"{request.param.__name__}: {error}")


def start_and_wait(call: Call, emulator: Emulator, operation: str, request: dict[str, Any]) -> None:
    transform, run = request["TransformId"], call(operation, request)["TaskRunId"]
    emulator.wait_until_ended(transform, run)
    task_run = call("GetMLTaskRun", {"TransformId": transform, "TaskRunId": run})
    assert task_run["Status"] == "SUCCEEDED", task_run.get("ErrorString")
    assert task_run["CompletedOn"] >= task_run["StartedOn"]


def test_the_label_loop_with_another_aws_client(call: Call, http_emulator: Emulator) -> None:
    request = {
        "Name": f"real-{http_emulator.bucket}",
        "Role": "arn:aws:iam::000000000000:role/glue",
        "InputRecordTables": [{"DatabaseName": http_emulator.database, "TableName": http_emulator.table}],
        "Parameters": {"TransformType": "FIND_MATCHES", "FindMatchesParameters": {"PrimaryKeyColumnName": "id"}},
        "Tags": {"client": http_emulator.bucket},
    }
    transform = call("CreateMLTransform", request)["TransformId"]
    transform_id = {"TransformId": transform}
    with pytest.raises(Refused) as raised:
        call("CreateMLTransform", request)
    assert raised.value.name == "AlreadyExistsException"
    with pytest.raises(Refused) as raised:
        call("StartMLEvaluationTaskRun", transform_id)
    assert raised.value.name == "MLTransformNotReadyException"
    assert [column["Name"] for column in call("GetMLTransform", transform_id)["Schema"]] == list(COLUMNS)
    assert call("ListMLTransforms", {"Tags": {"client": http_emulator.bucket}})["TransformIds"] == [transform]

    out = f"s3://{http_emulator.bucket}/out/"
    start_and_wait(call, http_emulator, "StartMLLabelingSetGenerationTaskRun", {**transform_id, "OutputS3Path": out})
    answered = http_emulator.put_object("answered.csv", http_emulator.answer_labeling_set("out/"))
    imported = {**transform_id, "InputS3Path": answered, "ReplaceAllLabels": True}
    start_and_wait(call, http_emulator, "StartImportLabelsTaskRun", imported)
    start_and_wait(call, http_emulator, "StartMLEvaluationTaskRun", transform_id)
    path = f"s3://{http_emulator.bucket}/export/"
    start_and_wait(call, http_emulator, "StartExportLabelsTaskRun", {**transform_id, "OutputS3Path": path})
    assert len(http_emulator.list_keys("export/")) == 1

    transforms = call("GetMLTransforms", {"Filter": {"Name": request["Name"]}})["Transforms"]
    assert [(item["TransformId"], item["Status"]) for item in transforms] == [(transform, "READY")]
    assert transforms[0]["EvaluationMetrics"]["FindMatchesMetrics"]["F1"] > 0
    assert transforms[0]["LabelCount"] > 0

    oldest_first = {"Sort": {"Column": "STARTED", "SortDirection": "ASCENDING"}, "MaxResults": 3}
    first = call("GetMLTaskRuns", {**transform_id, **oldest_first})
    second = call("GetMLTaskRuns", {**transform_id, **oldest_first, "NextToken": first["NextToken"]})
    assert [run["Properties"]["TaskType"] for run in (*first["TaskRuns"], *second["TaskRuns"])] == [
        "LABELING_SET_GENERATION",
        "IMPORT_LABELS",
        "EVALUATION",
        "EXPORT_LABELS",
    ]
    assert first["TaskRuns"][1]["Properties"]["ImportLabelsTaskRunProperties"] == {"InputS3Path": answered, "Replace": True}

    http_emulator.set_faults({"holdRuns": True})
    active = [call("StartMLLabelingSetGenerationTaskRun", {**transform_id, "OutputS3Path": out})["TaskRunId"] for _ in range(3)]
    with pytest.raises(Refused) as raised:
        call("StartMLLabelingSetGenerationTaskRun", {**transform_id, "OutputS3Path": out})
    assert raised.value.name == "ConcurrentRunsExceededException"
    assert "ML Task Runs count 3 has exceeded the transform limit of 3 task runs." in raised.value.message
    cancelled = call("CancelMLTaskRun", {**transform_id, "TaskRunId": active[0]})
    assert cancelled["Status"] in ("STOPPING", "STOPPED")
    call("UpdateMLTransform", {**transform_id, "Description": "changed by a real client"})
    assert call("GetMLTransform", transform_id)["Description"] == "changed by a real client"
    assert call("DeleteMLTransform", transform_id)["TransformId"] == transform
    with pytest.raises(Refused) as raised:
        call("GetMLTransform", transform_id)
    assert raised.value.name == "EntityNotFoundException"
    assert raised.value.message == f"Cannot find MLTransform in account 000000000000 with handle {transform}."
