"""Transforms: what Glue fills in, what it refuses in its own words; filters, sorts and pages of both lists."""

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.glue_emulator.lab import COLUMNS, TWO_SETS, Lab, table_input

FIND = {"TransformType": "FIND_MATCHES"}
TABLE = {"DatabaseName": "people", "TableName": "people"}


def test_what_glue_fills_in(any_lab: Lab) -> None:
    found = any_lab.glue.get_ml_transform(TransformId=any_lab.transform(Name="plain"))
    assert {name: found[name] for name in ("Name", "Description", "GlueVersion", "Timeout", "MaxRetries", "MaxCapacity")} == {
        "Name": "plain",
        "Description": "",
        "GlueVersion": "0.9",
        "Timeout": 2880,
        "MaxRetries": 0,
        "MaxCapacity": 10.0,
    }
    assert found["CreatedOn"] == found["LastModifiedOn"]
    assert "Tags" not in found
    sized = any_lab.glue.get_ml_transform(TransformId=any_lab.transform(WorkerType="G.2X", NumberOfWorkers=5))
    assert (sized["WorkerType"], sized["NumberOfWorkers"], sized["MaxCapacity"]) == ("G.2X", 5, 10.0)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"InputRecordTables": []}, "Exactly one input record table must be provided."),
        ({"InputRecordTables": [TABLE, TABLE]}, "Exactly one input record table must be provided."),
        ({"InputRecordTables": [{**TABLE, "DatabaseName": " "}]}, "Should specify database name."),
        ({"InputRecordTables": [{**TABLE, "TableName": " "}]}, "Should specify table name."),
        (
            {"InputRecordTables": [{**TABLE, "TableName": "gone"}]},
            "Problem fetching the data catalog schema: Entity Not Found: table people.gone.",
        ),
        ({"Parameters": FIND}, "Find Matches parameters have not been set."),
        (
            {"Parameters": {**FIND, "FindMatchesParameters": {}}},
            "A primary key must be specified in Find Matches parameters.",
        ),
        (
            {"Parameters": {**FIND, "FindMatchesParameters": {"PrimaryKeyColumnName": "pk"}}},
            "Schema should contain given primary key: pk.",
        ),
        (
            {"MaxCapacity": 2.0, "WorkerType": "G.1X", "NumberOfWorkers": 2},
            "Cannot set Max Capacity and Worker Num/Type at the same time.",
        ),
        ({"WorkerType": "G.1X"}, "Both WorkerType and NumberOfWorkers should be set."),
        ({"NumberOfWorkers": 2}, "Both WorkerType and NumberOfWorkers should be set."),
        ({"MaxCapacity": 0.5}, "MaxCapacity should be >= 1."),
        ({"WorkerType": "G.1X", "NumberOfWorkers": 0}, "NumberOfWorkers should be >= 1."),
        ({"MaxRetries": -1}, "Max retries should be non-negative."),
        ({"Name": " "}, "Transform name cannot be blank."),
    ],
)
def test_what_glue_refuses_to_create(lab: Lab, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ClientError) as caught:
        lab.transform(**changes)
    assert caught.value.response["Error"] == {"Code": "InvalidInputException", "Message": message}
    assert lab.glue.list_ml_transforms()["TransformIds"] == []


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ([], "Schema is not defined on the transform."),
        (
            [{"Name": f"c{n}", "Type": "string"} for n in range(101)],
            "The table has 101 columns; a transform can have at most 100.",
        ),
        (
            [{"Name": "id", "Type": "string"}, {"Name": "tags", "Type": "array<string>"}],
            "Input source column tags has an invalid data type defined in the catalog.",
        ),
    ],
)
def test_a_table_whose_schema_does_not_do(lab: Lab, columns: list[dict[str, str]], message: str) -> None:
    lab.define(table_input("odd", f"s3://{lab.bucket}/odd/", Columns=columns))
    lab.table = "odd"
    with pytest.raises(ClientError) as caught:
        lab.transform()
    assert caught.value.response["Error"]["Message"] == message


def test_names_are_unique(any_lab: Lab) -> None:
    any_lab.transform(Name="mine")
    with pytest.raises(ClientError) as caught:
        any_lab.transform(Name="mine")
    assert caught.value.response["Error"] == {
        "Code": "AlreadyExistsException",
        "Message": "Transform with name mine already exists.",
    }
    other = any_lab.transform()
    with pytest.raises(ClientError) as caught:
        any_lab.glue.update_ml_transform(TransformId=other, Name="mine")
    assert caught.value.response["Error"]["Message"] == "Another transform with name mine already exists."
    any_lab.glue.update_ml_transform(TransformId=other, Name="renamed", Description="new")
    assert any_lab.glue.get_ml_transform(TransformId=other)["Name"] == "renamed"
    any_lab.glue.delete_ml_transform(TransformId=other)


def test_an_update_changes_what_it_names(lab: Lab) -> None:
    transform = lab.transform(WorkerType="G.1X", NumberOfWorkers=3, Description="kept")
    before = lab.glue.get_ml_transform(TransformId=transform)
    parameters = {**FIND, "FindMatchesParameters": {"PrimaryKeyColumnName": "id", "PrecisionRecallTradeoff": 0.9}}
    answer = lab.glue.update_ml_transform(TransformId=transform, Parameters=parameters, MaxCapacity=4.0, Timeout=5)
    assert answer["TransformId"] == transform
    after = lab.glue.get_ml_transform(TransformId=transform)
    assert after["LastModifiedOn"] > before["LastModifiedOn"]
    assert (after["Parameters"], after["MaxCapacity"], after["Timeout"]) == (parameters, 4.0, 5)
    assert "WorkerType" not in after
    assert after["Description"] == "kept"
    for asked, message in (
        ({"Parameters": FIND}, "Find Matches parameters have not been set."),
        (
            {"Parameters": {**FIND, "FindMatchesParameters": {"PrimaryKeyColumnName": "pk"}}},
            "Schema should contain given primary key: pk.",
        ),
        ({"WorkerType": "G.1X"}, "Both WorkerType and NumberOfWorkers should be set."),
    ):
        with pytest.raises(ClientError) as caught:
            lab.glue.update_ml_transform(TransformId=transform, **asked)
        assert caught.value.response["Error"]["Message"] == message


@pytest.fixture
def listed(lab: Lab) -> dict[str, str]:
    """Three transforms by name: b, a, c in the order of their making; a is READY, c was changed last."""
    ids = {}
    for name, more in (("b", {"GlueVersion": "1.0"}), ("a", {"Tags": {"team": "x", "kind": "y"}}), ("c", {})):
        ids[name] = lab.transform(Name=name, **more)
        time.sleep(0.01)
    lab.succeeded(ids["a"], lab.start_import(ids["a"], TWO_SETS))
    lab.glue.update_ml_transform(TransformId=ids["c"], Description="changed")
    return ids


@pytest.mark.parametrize(
    ("column", "ascending"),
    [
        ("NAME", "abc"),
        ("CREATED", "bac"),
        ("LAST_MODIFIED", "bac"),
        ("STATUS", "bca"),  # NOT_READY before READY, then in the order of their making
        ("TRANSFORM_TYPE", "bac"),
    ],
)
def test_transforms_are_sorted(lab: Lab, listed: dict[str, str], column: str, ascending: str) -> None:
    for direction, names in (("ASCENDING", ascending), ("DESCENDING", ascending[::-1])):
        sort = {"Column": column, "SortDirection": direction}
        assert [found["Name"] for found in lab.glue.get_ml_transforms(Sort=sort)["Transforms"]] == list(names)
        assert lab.glue.list_ml_transforms(Sort=sort)["TransformIds"] == [listed[name] for name in names]


def test_transforms_are_filtered(lab: Lab, listed: dict[str, str]) -> None:
    times = {found["Name"]: found for found in lab.glue.get_ml_transforms()["Transforms"]}
    schema = [{"Name": name, "DataType": "string"} for name in COLUMNS]
    for wanted, names in (
        ({"Name": "b"}, "b"),
        ({"Status": "READY"}, "a"),
        ({"Status": "DELETING"}, ""),
        ({"TransformType": "FIND_MATCHES"}, "abc"),
        ({"GlueVersion": "1.0"}, "b"),
        ({"Schema": schema[::-1]}, "abc"),
        ({"Schema": schema[:2]}, ""),
        ({"Status": "NOT_READY", "Name": "c"}, "c"),
        ({"CreatedAfter": times["b"]["CreatedOn"].replace(year=2000)}, "abc"),
        ({"CreatedBefore": times["b"]["CreatedOn"].replace(year=2000)}, ""),
        ({"LastModifiedAfter": times["b"]["CreatedOn"].replace(year=2000)}, "abc"),
        ({"LastModifiedBefore": times["b"]["CreatedOn"].replace(year=2000)}, ""),
    ):
        found = lab.glue.get_ml_transforms(Filter=wanted)["Transforms"]
        assert sorted(item["Name"] for item in found) == list(names), wanted
        assert len(lab.glue.list_ml_transforms(Filter=wanted)["TransformIds"]) == len(names)
    assert lab.glue.list_ml_transforms(Tags={"team": "x"})["TransformIds"] == [listed["a"]]
    assert lab.glue.list_ml_transforms(Tags={"team": "x", "kind": "z"})["TransformIds"] == []


def test_transforms_come_in_pages(lab: Lab, listed: dict[str, str]) -> None:
    sort = {"Column": "NAME", "SortDirection": "ASCENDING"}
    first = lab.glue.get_ml_transforms(Sort=sort, MaxResults=2)
    second = lab.glue.get_ml_transforms(Sort=sort, MaxResults=2, NextToken=first["NextToken"])
    assert [found["Name"] for found in (*first["Transforms"], *second["Transforms"])] == ["a", "b", "c"]
    assert "NextToken" not in second
    one = lab.glue.list_ml_transforms(MaxResults=1)
    assert one["TransformIds"] == [listed["c"]]
    with pytest.raises(ClientError, match="belongs to another query"):
        lab.glue.get_ml_transforms(NextToken=first["NextToken"])


@pytest.fixture
def history(lab: Lab) -> tuple[str, list[dict[str, Any]]]:
    """A transform and its five runs, oldest first: imports good and bad, an export, a labeling set and an import stopped."""
    transform = lab.transform()
    runs = [lab.succeeded(transform, lab.start_import(transform, TWO_SETS))]
    runs.append(lab.ended(transform, lab.start_import(transform, b"no labels")))
    path = f"s3://{lab.bucket}/export/"
    export = lab.glue.start_export_labels_task_run(TransformId=transform, OutputS3Path=path)["TaskRunId"]
    runs.append(lab.succeeded(transform, export))
    lab.switch_faults({"holdRuns": True})
    for held in (lab.start_labeling(transform), lab.start_import(transform, TWO_SETS)):
        lab.glue.cancel_ml_task_run(TransformId=transform, TaskRunId=held)
        runs.append(lab.ended(transform, held))
    return transform, runs


def test_runs_are_filtered(lab: Lab, history: tuple[str, list[dict[str, Any]]]) -> None:
    transform, runs = history

    def kept(**wanted: Any) -> list[int]:  # noqa: ANN401 - strings and times
        found = lab.glue.get_ml_task_runs(TransformId=transform, Filter=wanted)["TaskRuns"]
        return [runs.index(run) for run in found]

    assert kept() == [4, 3, 2, 1, 0]
    assert kept(TaskRunType="IMPORT_LABELS") == [4, 1, 0]
    assert kept(TaskRunType="FIND_MATCHES") == []
    assert kept(Status="FAILED") == [1]
    assert kept(TaskRunType="IMPORT_LABELS", Status="STOPPED") == [4]
    assert kept(StartedAfter=runs[0]["StartedOn"].replace(year=2000)) == [4, 3, 2, 1, 0]
    assert kept(StartedBefore=runs[0]["StartedOn"].replace(year=2000)) == []


@pytest.mark.parametrize(
    ("column", "ascending"),
    [("STARTED", [0, 1, 2, 3, 4]), ("STATUS", [1, 3, 4, 0, 2]), ("TASK_RUN_TYPE", [2, 0, 1, 4, 3])],
)
def test_runs_are_sorted_and_come_in_pages_of_any_size(
    lab: Lab, history: tuple[str, list[dict[str, Any]]], column: str, ascending: list[int]
) -> None:
    transform, runs = history
    for direction, order in (("ASCENDING", ascending), ("DESCENDING", ascending[::-1])):
        for size in (1, 2, 5, 1000):
            found: list[dict[str, Any]] = []
            token: dict[str, str] = {}
            while True:
                page = lab.glue.get_ml_task_runs(
                    TransformId=transform,
                    Sort={"Column": column, "SortDirection": direction},
                    MaxResults=size,
                    **token,
                )
                assert len(page["TaskRuns"]) <= size
                found += page["TaskRuns"]
                if "NextToken" not in page:
                    break
                token = {"NextToken": page["NextToken"]}
            assert [runs.index(run) for run in found] == order


def test_runs_that_start_between_two_pages_hide_and_repeat_nothing(lab: Lab, history: tuple[str, list[dict[str, Any]]]) -> None:
    transform, runs = history
    first = lab.glue.get_ml_task_runs(TransformId=transform, MaxResults=2)
    lab.start_labeling(transform)
    rest = lab.glue.get_ml_task_runs(TransformId=transform, NextToken=first["NextToken"])
    assert [runs.index(run) for run in (*first["TaskRuns"], *rest["TaskRuns"])] == [4, 3, 2, 1, 0]
