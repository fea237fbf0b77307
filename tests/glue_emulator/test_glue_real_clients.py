"""The whole loop, driven by clients no one here wrote: the AWS CLI and the AWS SDK for JavaScript v3."""

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.glue_emulator.clients.real_clients import Call, NotInstalled, Refused, aws_cli, js_sdk
from tests.glue_emulator.lab import COLUMNS, Lab
from tests.glue_emulator.servers import Servers


@pytest.fixture(params=[aws_cli, js_sdk])
def call(request: pytest.FixtureRequest, servers: Servers) -> Iterator[Call]:
    with ExitStack() as stack:
        try:
            yield stack.enter_context(request.param(servers.glue_url))
        except NotInstalled as error:
            pytest.skip(f"{request.param.__name__}: {error}")


def succeeded(call: Call, lab: Lab, transform: str, run: str) -> None:
    lab.ended(transform, run)
    found = call("GetMLTaskRun", {"TransformId": transform, "TaskRunId": run})
    assert found["Status"] == "SUCCEEDED", found.get("ErrorString")
    assert found["CompletedOn"] >= found["StartedOn"]


def test_the_whole_loop_by_a_real_client(call: Call, http_lab: Lab) -> None:
    asked = {
        "Name": f"real-{http_lab.bucket}",
        "Role": "arn:aws:iam::000000000000:role/glue",
        "InputRecordTables": [{"DatabaseName": http_lab.database, "TableName": http_lab.table}],
        "Parameters": {"TransformType": "FIND_MATCHES", "FindMatchesParameters": {"PrimaryKeyColumnName": "id"}},
        "Tags": {"client": http_lab.bucket},
    }
    transform = call("CreateMLTransform", asked)["TransformId"]
    the = {"TransformId": transform}
    with pytest.raises(Refused) as caught:
        call("CreateMLTransform", asked)
    assert caught.value.name == "AlreadyExistsException"
    with pytest.raises(Refused) as caught:
        call("StartMLEvaluationTaskRun", the)
    assert caught.value.name == "MLTransformNotReadyException"
    assert [column["Name"] for column in call("GetMLTransform", the)["Schema"]] == list(COLUMNS)
    assert call("ListMLTransforms", {"Tags": {"client": http_lab.bucket}})["TransformIds"] == [transform]

    out = f"s3://{http_lab.bucket}/out/"
    succeeded(call, http_lab, transform, call("StartMLLabelingSetGenerationTaskRun", {**the, "OutputS3Path": out})["TaskRunId"])
    answered = http_lab.put("answered.csv", http_lab.answered("out/"))
    imported = {**the, "InputS3Path": answered, "ReplaceAllLabels": True}
    succeeded(call, http_lab, transform, call("StartImportLabelsTaskRun", imported)["TaskRunId"])
    succeeded(call, http_lab, transform, call("StartMLEvaluationTaskRun", the)["TaskRunId"])
    path = f"s3://{http_lab.bucket}/export/"
    succeeded(call, http_lab, transform, call("StartExportLabelsTaskRun", {**the, "OutputS3Path": path})["TaskRunId"])
    assert len(http_lab.listed("export/")) == 1

    found = call("GetMLTransforms", {"Filter": {"Name": asked["Name"]}})["Transforms"]
    assert [(item["TransformId"], item["Status"]) for item in found] == [(transform, "READY")]
    assert found[0]["EvaluationMetrics"]["FindMatchesMetrics"]["F1"] > 0
    assert found[0]["LabelCount"] > 0

    oldest_first = {"Sort": {"Column": "STARTED", "SortDirection": "ASCENDING"}, "MaxResults": 3}
    first = call("GetMLTaskRuns", {**the, **oldest_first})
    second = call("GetMLTaskRuns", {**the, **oldest_first, "NextToken": first["NextToken"]})
    assert [run["Properties"]["TaskType"] for run in (*first["TaskRuns"], *second["TaskRuns"])] == [
        "LABELING_SET_GENERATION",
        "IMPORT_LABELS",
        "EVALUATION",
        "EXPORT_LABELS",
    ]
    assert first["TaskRuns"][1]["Properties"]["ImportLabelsTaskRunProperties"] == {"InputS3Path": answered, "Replace": True}

    http_lab.switch_faults({"holdRuns": True})
    held = [call("StartMLLabelingSetGenerationTaskRun", {**the, "OutputS3Path": out})["TaskRunId"] for _ in range(3)]
    with pytest.raises(Refused) as caught:
        call("StartMLLabelingSetGenerationTaskRun", {**the, "OutputS3Path": out})
    assert caught.value.name == "ConcurrentRunsExceededException"
    assert "ML Task Runs count 3 has exceeded the transform limit of 3 task runs." in caught.value.message
    cancelled = call("CancelMLTaskRun", {**the, "TaskRunId": held[0]})
    assert cancelled["Status"] in ("STOPPING", "STOPPED")
    call("UpdateMLTransform", {**the, "Description": "changed by a real client"})
    assert call("GetMLTransform", the)["Description"] == "changed by a real client"
    assert call("DeleteMLTransform", the)["TransformId"] == transform
    with pytest.raises(Refused) as caught:
        call("GetMLTransform", the)
    assert caught.value.name == "EntityNotFoundException"
    assert caught.value.message == f"Cannot find MLTransform in account 000000000000 with handle {transform}."
