"""Transforms: Glue's defaults and refusals; filters, sorting and paging of transforms and runs."""

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.glue_emulator.emulator import Emulator
from tests.glue_emulator.people import COLUMNS, TWO_SETS, table_input

FIND = {"TransformType": "FIND_MATCHES"}
TABLE = {"DatabaseName": "people", "TableName": "people"}


def test_a_new_transform_gets_glues_defaults(any_emulator: Emulator) -> None:
    plain = any_emulator.glue.get_ml_transform(TransformId=any_emulator.create_transform(Name="plain"))
    assert {name: plain[name] for name in ("Name", "Description", "GlueVersion", "Timeout", "MaxRetries", "MaxCapacity")} == {
        "Name": "plain",
        "Description": "",
        "GlueVersion": "0.9",
        "Timeout": 2880,
        "MaxRetries": 0,
        "MaxCapacity": 10.0,
    }
    assert plain["CreatedOn"] == plain["LastModifiedOn"]
    assert "Tags" not in plain
    sized = any_emulator.glue.get_ml_transform(TransformId=any_emulator.create_transform(WorkerType="G.2X", NumberOfWorkers=5))
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
def test_invalid_transforms_are_refused_in_glues_words(emulator: Emulator, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ClientError) as raised:
        emulator.create_transform(**changes)
    assert raised.value.response["Error"] == {"Code": "InvalidInputException", "Message": message}
    assert emulator.glue.list_ml_transforms()["TransformIds"] == []


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
        (
            [{"Name": "id", "Type": "string"}, {"Name": "City", "Type": "string"}, {"Name": "city", "Type": "string"}],
            "The columns City and city differ only in case; rename one of them.",
        ),
        (
            [{"Name": "id", "Type": "string"}, {"Name": "city", "Type": "string"}, {"Name": "city", "Type": "string"}],
            "Two columns have the name city; rename one of them.",
        ),
    ],
)
def test_tables_with_an_unsupported_schema_are_refused(emulator: Emulator, columns: list[dict[str, str]], message: str) -> None:
    emulator.create_table(table_input("odd", f"s3://{emulator.bucket}/odd/", Columns=columns))
    emulator.table = "odd"
    with pytest.raises(ClientError) as raised:
        emulator.create_transform()
    assert raised.value.response["Error"]["Message"] == message


def test_partition_keys_are_columns_of_the_schema(any_emulator: Emulator) -> None:
    table = table_input("parts", f"s3://{any_emulator.bucket}/people/")
    any_emulator.create_table({**table, "PartitionKeys": [{"Name": "day", "Type": "date"}]})
    any_emulator.table = "parts"
    schema = any_emulator.glue.get_ml_transform(TransformId=any_emulator.create_transform())["Schema"]
    assert [column["Name"] for column in schema] == [*COLUMNS, "day"]
    assert schema[-1]["DataType"] == "date"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"PartitionKeys": [{"Name": "Name", "Type": "string"}]}, "The columns name and Name differ only in case;"),
        ({"Parameters": {"table_type": "iceberg"}}, "The table is a table of Apache Iceberg;"),
        ({"TableType": "VIRTUAL_VIEW"}, "The table is a view;"),
    ],
)
def test_tables_that_cannot_be_read_are_refused_before_anything_starts(
    emulator: Emulator, entry: dict[str, Any], message: str
) -> None:
    emulator.create_table({**table_input("odd", f"s3://{emulator.bucket}/people/"), **entry})
    emulator.table = "odd"
    with pytest.raises(ClientError) as raised:
        emulator.create_transform()
    assert raised.value.response["Error"]["Code"] == "InvalidInputException"
    assert raised.value.response["Error"]["Message"].startswith(message)


def test_transform_names_are_unique(any_emulator: Emulator) -> None:
    any_emulator.create_transform(Name="mine")
    with pytest.raises(ClientError) as raised:
        any_emulator.create_transform(Name="mine")
    assert raised.value.response["Error"] == {
        "Code": "AlreadyExistsException",
        "Message": "Transform with name mine already exists.",
    }
    second = any_emulator.create_transform()
    with pytest.raises(ClientError) as raised:
        any_emulator.glue.update_ml_transform(TransformId=second, Name="mine")
    assert raised.value.response["Error"]["Message"] == "Another transform with name mine already exists."
    any_emulator.glue.update_ml_transform(TransformId=second, Name="renamed", Description="new")
    assert any_emulator.glue.get_ml_transform(TransformId=second)["Name"] == "renamed"
    any_emulator.glue.delete_ml_transform(TransformId=second)


def test_an_update_changes_only_the_members_it_names(emulator: Emulator) -> None:
    transform = emulator.create_transform(WorkerType="G.1X", NumberOfWorkers=3, Description="kept")
    before = emulator.glue.get_ml_transform(TransformId=transform)
    parameters = {**FIND, "FindMatchesParameters": {"PrimaryKeyColumnName": "id", "PrecisionRecallTradeoff": 0.9}}
    response = emulator.glue.update_ml_transform(TransformId=transform, Parameters=parameters, MaxCapacity=4.0, Timeout=5)
    assert response["TransformId"] == transform
    after = emulator.glue.get_ml_transform(TransformId=transform)
    assert after["LastModifiedOn"] > before["LastModifiedOn"]
    assert (after["Parameters"], after["MaxCapacity"], after["Timeout"]) == (parameters, 4.0, 5)
    assert "WorkerType" not in after
    assert after["Description"] == "kept"
    for request, message in (
        ({"Parameters": FIND}, "Find Matches parameters have not been set."),
        (
            {"Parameters": {**FIND, "FindMatchesParameters": {"PrimaryKeyColumnName": "pk"}}},
            "Schema should contain given primary key: pk.",
        ),
        ({"WorkerType": "G.1X"}, "Both WorkerType and NumberOfWorkers should be set."),
    ):
        with pytest.raises(ClientError) as raised:
            emulator.glue.update_ml_transform(TransformId=transform, **request)
        assert raised.value.response["Error"]["Message"] == message


@pytest.fixture
def three_transforms(emulator: Emulator) -> dict[str, str]:
    """Three transforms by name: b, a, c in the order of creation; a is READY, c was updated last."""
    ids = {}
    for name, more in (("b", {"GlueVersion": "1.0"}), ("a", {"Tags": {"team": "x", "kind": "y"}}), ("c", {})):
        ids[name] = emulator.create_transform(Name=name, **more)
        time.sleep(0.01)
    emulator.wait_for_success(ids["a"], emulator.start_import(ids["a"], TWO_SETS))
    emulator.glue.update_ml_transform(TransformId=ids["c"], Description="changed")
    return ids


@pytest.mark.parametrize(
    ("column", "ascending"),
    [
        ("NAME", "abc"),
        ("CREATED", "bac"),
        ("LAST_MODIFIED", "bac"),
        ("STATUS", "bca"),  # NOT_READY before READY, then in the order of creation
        ("TRANSFORM_TYPE", "bac"),
    ],
)
def test_transforms_are_sorted(emulator: Emulator, three_transforms: dict[str, str], column: str, ascending: str) -> None:
    for direction, names in (("ASCENDING", ascending), ("DESCENDING", ascending[::-1])):
        sort = {"Column": column, "SortDirection": direction}
        assert [item["Name"] for item in emulator.glue.get_ml_transforms(Sort=sort)["Transforms"]] == list(names)
        assert emulator.glue.list_ml_transforms(Sort=sort)["TransformIds"] == [three_transforms[name] for name in names]


def test_transforms_are_filtered(emulator: Emulator, three_transforms: dict[str, str]) -> None:
    times = {item["Name"]: item for item in emulator.glue.get_ml_transforms()["Transforms"]}
    schema = [{"Name": name, "DataType": "string"} for name in COLUMNS]
    for transform_filter, names in (
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
        transforms = emulator.glue.get_ml_transforms(Filter=transform_filter)["Transforms"]
        assert sorted(item["Name"] for item in transforms) == list(names), transform_filter
        assert len(emulator.glue.list_ml_transforms(Filter=transform_filter)["TransformIds"]) == len(names)
    assert emulator.glue.list_ml_transforms(Tags={"team": "x"})["TransformIds"] == [three_transforms["a"]]
    assert emulator.glue.list_ml_transforms(Tags={"team": "x", "kind": "z"})["TransformIds"] == []


def test_transforms_are_paged(emulator: Emulator, three_transforms: dict[str, str]) -> None:
    sort = {"Column": "NAME", "SortDirection": "ASCENDING"}
    first = emulator.glue.get_ml_transforms(Sort=sort, MaxResults=2)
    second = emulator.glue.get_ml_transforms(Sort=sort, MaxResults=2, NextToken=first["NextToken"])
    assert [item["Name"] for item in (*first["Transforms"], *second["Transforms"])] == ["a", "b", "c"]
    assert "NextToken" not in second
    single_page = emulator.glue.list_ml_transforms(MaxResults=1)
    assert single_page["TransformIds"] == [three_transforms["c"]]
    with pytest.raises(ClientError, match="belongs to another query"):
        emulator.glue.get_ml_transforms(NextToken=first["NextToken"])


@pytest.fixture
def history(emulator: Emulator) -> tuple[str, list[dict[str, Any]]]:
    """A transform and its five runs, oldest first: a good and a bad import, an export, a stopped labeling set and import."""
    transform = emulator.create_transform()
    runs = [emulator.wait_for_success(transform, emulator.start_import(transform, TWO_SETS))]
    runs.append(emulator.wait_until_ended(transform, emulator.start_import(transform, b"no labels")))
    path = f"s3://{emulator.bucket}/export/"
    export = emulator.glue.start_export_labels_task_run(TransformId=transform, OutputS3Path=path)["TaskRunId"]
    runs.append(emulator.wait_for_success(transform, export))
    emulator.set_faults({"holdRuns": True})
    for active in (emulator.start_labeling(transform), emulator.start_import(transform, TWO_SETS)):
        emulator.glue.cancel_ml_task_run(TransformId=transform, TaskRunId=active)
        runs.append(emulator.wait_until_ended(transform, active))
    return transform, runs


def test_runs_are_filtered(emulator: Emulator, history: tuple[str, list[dict[str, Any]]]) -> None:
    transform, runs = history

    def matching_runs(**run_filter: Any) -> list[int]:  # noqa: ANN401 - strings and times
        task_runs = emulator.glue.get_ml_task_runs(TransformId=transform, Filter=run_filter)["TaskRuns"]
        return [runs.index(run) for run in task_runs]

    assert matching_runs() == [4, 3, 2, 1, 0]
    assert matching_runs(TaskRunType="IMPORT_LABELS") == [4, 1, 0]
    assert matching_runs(TaskRunType="FIND_MATCHES") == []
    assert matching_runs(Status="FAILED") == [1]
    assert matching_runs(TaskRunType="IMPORT_LABELS", Status="STOPPED") == [4]
    assert matching_runs(StartedAfter=runs[0]["StartedOn"].replace(year=2000)) == [4, 3, 2, 1, 0]
    assert matching_runs(StartedBefore=runs[0]["StartedOn"].replace(year=2000)) == []


@pytest.mark.parametrize(
    ("column", "ascending"),
    [("STARTED", [0, 1, 2, 3, 4]), ("STATUS", [1, 3, 4, 0, 2]), ("TASK_RUN_TYPE", [2, 0, 1, 4, 3])],
)
def test_runs_are_sorted_and_paged(
    emulator: Emulator, history: tuple[str, list[dict[str, Any]]], column: str, ascending: list[int]
) -> None:
    transform, runs = history
    for direction, order in (("ASCENDING", ascending), ("DESCENDING", ascending[::-1])):
        for size in (1, 2, 5, 1000):
            paged: list[dict[str, Any]] = []
            token: dict[str, str] = {}
            while True:
                page = emulator.glue.get_ml_task_runs(
                    TransformId=transform,
                    Sort={"Column": column, "SortDirection": direction},
                    MaxResults=size,
                    **token,
                )
                assert len(page["TaskRuns"]) <= size
                paged += page["TaskRuns"]
                if "NextToken" not in page:
                    break
                token = {"NextToken": page["NextToken"]}
            assert [runs.index(run) for run in paged] == order


def test_a_run_started_between_two_pages_changes_no_later_page(
    emulator: Emulator, history: tuple[str, list[dict[str, Any]]]
) -> None:
    transform, runs = history
    first = emulator.glue.get_ml_task_runs(TransformId=transform, MaxResults=2)
    emulator.start_labeling(transform)
    rest = emulator.glue.get_ml_task_runs(TransformId=transform, NextToken=first["NextToken"])
    assert [runs.index(run) for run in (*first["TaskRuns"], *rest["TaskRuns"])] == [4, 3, 2, 1, 0]
