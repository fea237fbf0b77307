"""`make up`, the stack.json that it writes, and `make down`."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from botocore.credentials import Credentials

from label_loop.api import ApiClient
from local.cloud.process import ROOT
from local.cloud.stack import Stack
from tests.local.helpers import run_python

CALL_A_HANDLER = """
from types import SimpleNamespace
from handlers import announce, api, bus, schedule
context = SimpleNamespace(
    function_name="f", memory_limit_in_mb=512, invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:f",
    aws_request_id="r", log_group_name="g", log_stream_name="s", get_remaining_time_in_millis=lambda: 60_000,
)
schedule.handler({}, context)
print("reconciled")
"""


def run_action(action: str, folder: Path) -> str:
    completed = run_python("-m", "local.cloud", action, "--folder", str(folder))
    assert completed.returncode == 0, completed.stdout + completed.stderr
    return completed.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    run_action("down", tmp_path)


def test_up_leaves_a_cloud_running_and_prints_its_endpoints(folder: Path) -> None:
    output = run_action("up", folder)
    stack = json.loads((folder / "stack.json").read_text())
    assert {"apiUrl", "awsEndpointUrl", "glueEndpointUrl", "env"} <= set(stack)
    assert stack["apiUrl"] in output
    credentials = Credentials(stack["env"]["AWS_ACCESS_KEY_ID"], stack["env"]["AWS_SECRET_ACCESS_KEY"])
    response = ApiClient(stack["apiUrl"], stack["env"]["AWS_REGION"], credentials).list_task_runs()
    assert (response.status, response.body) == (200, {"items": [], "next": None})

    assert "already running" in run_action("up", folder)
    assert "has stopped" in run_action("down", folder)
    assert "No local cloud" in run_action("down", folder)
    assert not (folder / "stack.json").exists()


def test_handlers_run_as_plain_functions_with_the_environment_of_stack_json(stack: Stack) -> None:
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src"), **json.loads(stack.as_json())["env"]}
    completed = run_python("-c", CALL_A_HANDLER, env=env)
    assert completed.returncode == 0, completed.stderr
    assert completed.stdout.endswith("reconciled\n")
