"""`make up`, what it leaves behind, and `make down`."""

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

FOUR_DOORS = """
from types import SimpleNamespace
from handlers import announce, api, bus, schedule
context = SimpleNamespace(
    function_name="f", memory_limit_in_mb=512, invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:f",
    aws_request_id="r", log_group_name="g", log_stream_name="s", get_remaining_time_in_millis=lambda: 60_000,
)
schedule.handler({}, context)
print("reconciled")
"""


def cloud(action: str, folder: Path) -> str:
    done = run_python("-m", "local.cloud", action, "--folder", str(folder))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    cloud("down", tmp_path)


def test_up_leaves_a_cloud_running_and_says_where_everything_is(folder: Path) -> None:
    said = cloud("up", folder)
    told = json.loads((folder / "stack.json").read_text())
    assert {"apiUrl", "awsEndpointUrl", "glueEndpointUrl", "env"} <= set(told)
    assert told["apiUrl"] in said
    credentials = Credentials(told["env"]["AWS_ACCESS_KEY_ID"], told["env"]["AWS_SECRET_ACCESS_KEY"])
    answer = ApiClient(told["apiUrl"], told["env"]["AWS_REGION"], credentials).list_task_runs()
    assert (answer.status, answer.body) == (200, {"items": [], "next": None})

    assert "already running" in cloud("up", folder)
    assert "has stopped" in cloud("down", folder)
    assert "No local cloud" in cloud("down", folder)
    assert not (folder / "stack.json").exists()


def test_the_handlers_run_as_plain_functions_in_the_environment_of_stack_json(stack: Stack) -> None:
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src"), **json.loads(stack.as_json())["env"]}
    done = run_python("-c", FOUR_DOORS, env=env)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("reconciled\n")
