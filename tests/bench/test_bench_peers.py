"""The stubbed AWS, and the handlers that this environment can run: a start is counted, a replay is one call."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.builds import OUR_SETTINGS
from bench.handler_process import EVENT, environment, stub_aws_process
from bench.stub_aws import StubAws

ROOT = Path(__file__).parents[2]
OURS, BARE, GLUE = ("src", "handlers.api.handler"), ("bench/peers/bare", "app.handler"), "StartMLLabelingSetGenerationTaskRun"


@pytest.mark.parametrize(
    ("package", "start_calls", "replay_calls"),
    [
        (OURS, ["TransactWriteItems", GLUE, "PutItem"], ["GetItem"]),
        (BARE, ["PutItem", GLUE, "PutItem", "PutEvents"], ["PutItem"]),
    ],
    ids=["ours", "bare"],
)
def test_replay_starts_nothing(package: tuple[str, str], start_calls: list[str], replay_calls: list[str]) -> None:
    folder, handler = package
    with stub_aws_process() as aws:
        command = [sys.executable, "bench/driver.py", handler, "2", "1", str(EVENT)]
        settings = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / folder), "HOME": "/nonexistent", **environment(aws)}
        process = subprocess.run(command, cwd=ROOT, env=settings, capture_output=True, text=True, check=False)  # noqa: S603  our own
        assert process.returncode == 0, process.stderr
        assert aws.calls() == [*start_calls, *start_calls, *replay_calls]


def test_replay_in_another_process_is_one_call() -> None:
    command = [sys.executable, "bench/driver.py", OURS[1], "2", "0", str(EVENT)]
    with stub_aws_process() as aws:
        settings = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / OURS[0]), "HOME": "/nonexistent", **environment(aws)}
        for _ in range(2):
            subprocess.run(command, cwd=ROOT, env=settings, capture_output=True, check=True)  # noqa: S603  our own
        assert aws.calls()[6:] == ["TransactWriteItems"] * 2


def test_our_build_is_measured_with_the_settings_of_the_template() -> None:
    template = (ROOT / "template.yaml").read_text()
    assert all(f"        {name}: {value}" in template for name, value in OUR_SETTINGS)


def test_driver_fails_if_the_handler_does_not_accept() -> None:
    with stub_aws_process() as aws:
        command = [sys.executable, "bench/driver.py", "app.handler", "1", "0", str(EVENT)]
        path = str(ROOT / "bench" / "peers" / "bare")
        settings = {"PATH": os.environ["PATH"], "PYTHONPATH": path, "HOME": "/nonexistent", **environment(aws)}
        unreachable_glue = {**settings, "AWS_ENDPOINT_URL": f"{aws.endpoint}/", "AWS_ENDPOINT_URL_GLUE": "http://127.0.0.1:9"}
        process = subprocess.run(command, cwd=ROOT, env=unreachable_glue, capture_output=True, text=True, check=False)  # noqa: S603  our own
    assert process.returncode != 0


def test_stub_dynamodb_returns_the_existing_item_on_a_failed_condition() -> None:
    aws = StubAws()
    put: dict[str, Any] = {
        "TableName": "t",
        "Item": {"id": {"S": "1"}, "by": {"S": "first"}},
        "ConditionExpression": "attribute_not_exists(id)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    assert aws.answer("PutItem", put) == (200, {})
    status, response = aws.answer("PutItem", put | {"Item": {"id": {"S": "1"}, "by": {"S": "second"}}})
    assert (status, response["Item"]) == (400, put["Item"])
    status, response = aws.answer("TransactWriteItems", {"TransactItems": [{"Put": put}, {"ConditionCheck": {}}]})
    assert status == 400
    assert [reason["Code"] for reason in response["CancellationReasons"]] == ["ConditionalCheckFailed", "None"]
    update = {
        "TableName": "t",
        "Key": {"id": {"S": "1"}},
        "UpdateExpression": "SET #by = :by",
        "ExpressionAttributeNames": {"#by": "by"},
        "ExpressionAttributeValues": {":by": {"S": "third"}},
    }
    assert aws.answer("UpdateItem", update) == (200, {})
    _, response = aws.answer("PutItem", put)
    assert response["Item"]["by"] == {"S": "third"}
    key = {"TableName": "t", "Key": {"id": {"S": "1"}}}
    assert aws.answer("GetItem", key) == (200, {"Item": response["Item"]})
    assert aws.answer("GetItem", key | {"Key": {"id": {"S": "2"}}}) == (200, {})
    assert aws.answer("Scan", {})[0] == 400
    assert aws.calls == ["PutItem", "PutItem", "TransactWriteItems", "UpdateItem", "PutItem", "GetItem", "GetItem", "Scan"]
