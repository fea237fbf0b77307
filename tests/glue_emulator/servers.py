"""The servers of an emulator over HTTP: a local AWS for the catalog and S3, and `python -m local.glue`."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from botocore.config import Config

from tests.glue_emulator.emulator import ONE_ATTEMPT, Emulator, create_people_table, make_client


@dataclass(frozen=True)
class Servers:
    aws_url: str
    glue_url: str


@contextmanager
def emulator_over_http(servers: Servers) -> Iterator[Emulator]:
    s3 = make_client("s3", endpoint_url=servers.aws_url, config=Config(s3={"addressing_style": "path"}))
    catalog = make_client("glue", endpoint_url=servers.aws_url)
    clients = [s3, catalog]

    def client_at(url: str, config: Config) -> Any:  # noqa: ANN401 - boto3 makes clients at run time
        clients.append(make_client("glue", endpoint_url=url, config=config))
        return clients[-1]

    database = f"db_{uuid4().hex[:12]}"
    catalog.create_database(DatabaseInput={"Name": database})
    emulator = Emulator(
        client_at(servers.glue_url, ONE_ATTEMPT),
        s3,
        create_table=lambda table: catalog.create_table(DatabaseName=database, TableInput=table),
        set_faults=lambda faults: call(servers.glue_url, "PUT", "/_glue/faults", faults),
        new_client=lambda config: client_at(servers.glue_url, config),
        new_client_at=lambda url: client_at(url, ONE_ATTEMPT),
        database=database,
    )
    create_people_table(emulator)
    yield emulator
    # Once the faults are off, held runs would start and occupy the workers of the next test.
    for transform in emulator.glue.list_ml_transforms(MaxResults=1000)["TransformIds"]:
        emulator.glue.delete_ml_transform(TransformId=transform)
    call(servers.glue_url, "DELETE", "/_glue/faults")
    for client in clients:
        client.close()


def call(url: str, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401 - any JSON
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, method=method)  # noqa: S310 - our own server
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - our own server
        return json.load(response)


@contextmanager
def local_aws(folder: Path) -> Iterator[str]:
    port = free_port()
    (folder / "tmp").mkdir()
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "TMPDIR": str(folder / "tmp"),
        "LOG_LEVEL": "ERROR",
    }
    with process([sys.executable, "-m", "ministack"], env, port, folder / "aws.log"):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def glue_server(folder: Path, aws_url: str, *options: str) -> Iterator[str]:
    port = free_port()
    command = [sys.executable, "-m", "local.glue", "--port", str(port), "--state", str(folder)]
    command += ["--aws-endpoint-url", aws_url, "--access-key-id", "test", "--secret-access-key", "test", *options]
    with process(command, {**os.environ, "PYTHONPATH": str(Path.cwd())}, port, folder.with_suffix(".log")):
        yield f"http://127.0.0.1:{port}"


@contextmanager
def process(command: Sequence[str], env: Mapping[str, str], port: int, log: Path) -> Iterator[None]:
    with log.open("wb") as output, subprocess.Popen(command, env=env, stdout=output, stderr=output) as server:  # noqa: S603 - our own servers
        try:
            deadline = time.monotonic() + 60
            while not is_listening(port):
                assert server.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.1)
            yield
        finally:
            server.terminate()
            try:
                server.wait(timeout=15)
            except subprocess.TimeoutExpired:
                server.kill()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
