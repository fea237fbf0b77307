"""`make up`, the stack.json that it writes, and `make down`."""

import json
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from botocore.credentials import Credentials

from label_loop.api import ApiClient
from local.cloud.process import ROOT, start_cloud, stop_cloud
from local.cloud.stack import Stack
from tests.local.helpers import UNREACHABLE_PROXY, run_python

CALL_A_HANDLER = """
from types import SimpleNamespace
from handlers import announce, api, bus, schedule
context = SimpleNamespace(
    function_name="f", memory_limit_in_mb=512, invoked_function_arn="arn:aws:lambda:us-east-1:000000000000:function:f",
    aws_request_id="r", log_group_name="g", log_stream_name="s", get_remaining_time_in_millis=lambda: 300_000,
)
schedule.handler({}, context)
print("reconciled")
"""


def run_action(action: str, folder: Path, env: Mapping[str, str] | None = None) -> str:
    completed = run_python("-m", "local.cloud", action, "--folder", str(folder), env={**os.environ, **(env or {})})
    assert completed.returncode == 0, completed.stdout + completed.stderr
    return completed.stdout


def read_stack(folder: Path) -> Stack:
    return Stack.from_json((folder / "stack.json").read_text())


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


def test_two_clouds_started_at_once_are_deployed_separately(tmp_path: Path) -> None:
    folders = [tmp_path / "first", tmp_path / "second"]
    try:
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda folder: run_action("up", folder), folders))
        stacks = [read_stack(folder) for folder in folders]
        assert stacks[0].aws_endpoint_url != stacks[1].aws_endpoint_url
        for stack in stacks:
            apis = stack.client("apigateway").get_rest_apis()["items"]
            urls = f"{stack.api_url} {stack.outputs['LabelUrl']}"
            assert [api["id"] for api in apis if api["id"] not in urls] == []
            assert len(apis) == 2
    finally:
        for folder in folders:
            run_action("down", folder)


def test_up_twice_at_once_in_one_folder_starts_one_cloud(folder: Path) -> None:
    with ThreadPoolExecutor() as pool:
        outputs = sorted(pool.map(lambda _: run_action("up", folder), range(2)), key=len)
    endpoint = read_stack(folder).aws_endpoint_url
    assert all(endpoint in output for output in outputs)
    assert sum("already running" in output for output in outputs) == 1


def test_up_and_sample_ignore_the_proxy_of_the_environment(folder: Path) -> None:
    run_action("up", folder, UNREACHABLE_PROXY)
    completed = run_python("-m", "local.sample", str(folder), env={**os.environ, **UNREACHABLE_PROXY})
    assert completed.returncode == 0, completed.stderr
    assert completed.stdout.startswith("tfm-")


def test_up_replaces_a_cloud_whose_deployment_was_interrupted(folder: Path) -> None:
    interrupted = start_cloud(folder / "cloud")
    assert interrupted.child is not None
    (folder / "cloud" / "pid.json").write_text(json.dumps({"pid": interrupted.pid, "port": interrupted.port}))
    try:
        assert "is running" in run_action("up", folder)
        interrupted.child.wait(timeout=10)
        assert read_stack(folder).client("apigateway").get_rest_apis()["items"]
    finally:
        stop_cloud(interrupted)


def test_up_explains_an_address_that_it_cannot_listen_on(folder: Path) -> None:
    completed = run_python("-m", "local.cloud", "up", "--folder", str(folder), "--also-on", "203.0.113.1")
    assert completed.returncode == 1
    assert "cannot listen on 127.0.0.1, 203.0.113.1" in completed.stdout
    assert "Traceback" not in completed.stdout + completed.stderr
