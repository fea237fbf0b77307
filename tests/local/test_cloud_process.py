"""The local cloud's process: its port, and what is left when it has stopped."""

import io
import json
import subprocess
import zipfile
from pathlib import Path

import pytest

from local.cloud.process import HOST, CloudProcess, running_cloud
from local.cloud.sockets import open_sockets, port_of
from local.cloud.stack import local_client
from tests.local.helpers import eventually

HANGING_FUNCTION = """
import os, signal, time

def handler(event, context):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with open(event["pidFile"], "w") as file:
        file.write(f"{os.getpid()}\\n")
    time.sleep(600)
"""


def test_preferred_port_is_used_if_it_is_free_and_another_otherwise() -> None:
    (first,) = open_sockets([HOST])
    port = port_of(first)
    with first:
        (second,) = open_sockets([HOST], port)
        with second:
            assert port_of(second) != port
    (third,) = open_sockets([HOST], port)
    with third:
        assert port_of(third) == port


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(OSError, match="assign"):
        open_sockets([HOST, "203.0.113.1"], 0)


def test_stopping_the_cloud_ends_a_function_that_hangs(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    with running_cloud(tmp_path / "cloud") as cloud:
        _invoke_hanging_function(cloud, pid_file)
        pid = int(eventually(lambda: pid_file.read_text() if pid_file.exists() and pid_file.read_text() else None))
        assert _is_running(pid)
    eventually(lambda: None if _is_running(pid) else True)


def _invoke_hanging_function(cloud: CloudProcess, pid_file: Path) -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("hanging.py", HANGING_FUNCTION)
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam, functions = local_client("iam", cloud.endpoint), local_client("lambda", cloud.endpoint)
    role = iam.create_role(RoleName="hanging", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    functions.create_function(
        FunctionName="hanging",
        Runtime="python3.13",
        Role=role,
        Handler="hanging.handler",
        Code={"ZipFile": archive.getvalue()},
        Timeout=600,
    )
    payload = json.dumps({"pidFile": str(pid_file)})
    functions.invoke(FunctionName="hanging", InvocationType="Event", Payload=payload)


def _is_running(pid: int) -> bool:
    """A zombie (Z) has ended; it stays listed until its parent waits for it."""
    command = ["ps", "-o", "stat=", "-p", str(pid)]
    status = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603 - constants
    return bool(status) and not status.startswith("Z")
