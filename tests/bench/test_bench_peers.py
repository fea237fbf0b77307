"""The canned AWS, and the peer that this environment can run: it starts once, and a replay is one call."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.builds import OUR_SETTINGS
from bench.running import EVENT, canned_aws, environment
from bench.stub_aws import CannedAws

ROOT = Path(__file__).parents[2]
OURS, BARE, GLUE = ("src", "handlers.api.handler"), ("bench/peers/bare", "app.handler"), "StartMLLabelingSetGenerationTaskRun"


@pytest.mark.parametrize(
    ("package", "of_start", "of_replay"),
    [
        (OURS, ["TransactWriteItems", GLUE, "PutItem"], ["GetItem"]),
        (BARE, ["PutItem", GLUE, "PutItem", "PutEvents"], ["PutItem"]),
    ],
    ids=["ours", "bare"],
)
def test_a_start_is_answered_and_a_replay_starts_nothing(
    package: tuple[str, str], of_start: list[str], of_replay: list[str]
) -> None:
    folder, handler = package
    with canned_aws() as aws:
        command = [sys.executable, "bench/driver.py", handler, "2", "1", str(EVENT)]
        settings = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / folder), "HOME": "/nonexistent", **environment(aws)}
        done = subprocess.run(command, cwd=ROOT, env=settings, capture_output=True, text=True, check=False)  # noqa: S603  our own
        assert done.returncode == 0, done.stderr
        assert aws.calls() == [*of_start, *of_start, *of_replay]


def test_what_one_process_started_the_next_one_replays_in_one_call_each() -> None:
    command = [sys.executable, "bench/driver.py", OURS[1], "2", "0", str(EVENT)]
    with canned_aws() as aws:
        settings = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / OURS[0]), "HOME": "/nonexistent", **environment(aws)}
        for _ in range(2):
            subprocess.run(command, cwd=ROOT, env=settings, capture_output=True, check=True)  # noqa: S603  our own
        assert aws.calls()[6:] == ["TransactWriteItems"] * 2


def test_ours_is_measured_with_the_templates_settings() -> None:
    template = (ROOT / "template.yaml").read_text()
    assert all(f"        {name}: {value}" in template for name, value in OUR_SETTINGS)


def test_the_driver_fails_where_a_handler_does_not_accept() -> None:
    with canned_aws() as aws:
        command = [sys.executable, "bench/driver.py", "app.handler", "1", "0", str(EVENT)]
        path = str(ROOT / "bench" / "peers" / "bare")
        settings = {"PATH": os.environ["PATH"], "PYTHONPATH": path, "HOME": "/nonexistent", **environment(aws)}
        refused = {**settings, "AWS_ENDPOINT_URL": f"{aws.endpoint}/", "AWS_ENDPOINT_URL_GLUE": "http://127.0.0.1:9"}
        done = subprocess.run(command, cwd=ROOT, env=refused, capture_output=True, text=True, check=False)  # noqa: S603  our own
    assert done.returncode != 0


def test_canned_dynamodb_keeps_what_is_there_and_hands_it_back() -> None:
    aws = CannedAws()
    put: dict[str, Any] = {
        "TableName": "t",
        "Item": {"id": {"S": "1"}, "by": {"S": "first"}},
        "ConditionExpression": "attribute_not_exists(id)",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    assert aws.answer("PutItem", put) == (200, {})
    status, told = aws.answer("PutItem", put | {"Item": {"id": {"S": "1"}, "by": {"S": "second"}}})
    assert (status, told["Item"]) == (400, put["Item"])
    status, told = aws.answer("TransactWriteItems", {"TransactItems": [{"Put": put}, {"ConditionCheck": {}}]})
    assert status == 400
    assert [reason["Code"] for reason in told["CancellationReasons"]] == ["ConditionalCheckFailed", "None"]
    update = {
        "TableName": "t",
        "Key": {"id": {"S": "1"}},
        "UpdateExpression": "SET #by = :by",
        "ExpressionAttributeNames": {"#by": "by"},
        "ExpressionAttributeValues": {":by": {"S": "third"}},
    }
    assert aws.answer("UpdateItem", update) == (200, {})
    _, told = aws.answer("PutItem", put)
    assert told["Item"]["by"] == {"S": "third"}
    key = {"TableName": "t", "Key": {"id": {"S": "1"}}}
    assert aws.answer("GetItem", key) == (200, {"Item": told["Item"]})
    assert aws.answer("GetItem", key | {"Key": {"id": {"S": "2"}}}) == (200, {})
    assert aws.answer("Scan", {})[0] == 400
    assert aws.calls == ["PutItem", "PutItem", "TransactWriteItems", "UpdateItem", "PutItem", "GetItem", "GetItem", "Scan"]
