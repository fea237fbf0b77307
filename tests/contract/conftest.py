"""Backends of the ports: the fakes, and the real adapters on moto, on the local cloud and on the Glue emulator."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.config import Config
from hypothesis import settings
from moto import mock_aws

from core.aws.ledger import DynamoLedger
from core.ports import Ledger
from local.cloud.process import CloudProcess, running_cloud
from local.cloud.template import ledger_table
from tests.contract.credentials import CREDENTIALS
from tests.fakes.ledger import MemoryLedger
from tests.simulation.table import DynamoDB

settings.register_profile("quick", deadline=None, max_examples=50)
settings.load_profile("quick")

MANY_THREADS = Config(
    connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3}, max_pool_connections=25
)


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudProcess]:
    """The local cloud in its own process: multi-threaded MiniStack behind the Glue emulator."""
    with running_cloud(tmp_path_factory.mktemp("cloud")) as process:
        yield process


@contextmanager
def moto_dynamodb() -> Iterator[Any]:
    with mock_aws():
        client = boto3.client("dynamodb", config=MANY_THREADS, **CREDENTIALS)
        yield client
        client.close()


@contextmanager
def cloud_dynamodb(cloud: CloudProcess) -> Iterator[Any]:
    client = boto3.client("dynamodb", endpoint_url=cloud.endpoint, config=MANY_THREADS, **CREDENTIALS)
    yield client
    client.close()


def ledger_on(client: Any) -> DynamoLedger:  # noqa: ANN401  boto3 makes clients at run time
    """A ledger on a new table, as template.yaml defines it."""
    table = f"ledger-{uuid4().hex[:12]}"
    client.create_table(TableName=table, **ledger_table())
    return DynamoLedger(client, table, timedelta(days=90), lambda: uuid4().hex)


@pytest.fixture(params=["moto", "local cloud"])
def dynamodb(request: pytest.FixtureRequest) -> Iterator[Any]:
    with ExitStack() as stack:
        if request.param == "moto":
            yield stack.enter_context(moto_dynamodb())
        else:
            yield stack.enter_context(cloud_dynamodb(request.getfixturevalue("cloud")))


@pytest.fixture(params=["memory", "simulated table", "moto", "local cloud"])
def ledger(request: pytest.FixtureRequest) -> Iterator[Ledger]:
    with ExitStack() as stack:
        if request.param == "memory":
            yield MemoryLedger()
        elif request.param == "simulated table":
            yield ledger_on(DynamoDB())
        elif request.param == "moto":
            yield ledger_on(stack.enter_context(moto_dynamodb()))
        else:
            yield ledger_on(stack.enter_context(cloud_dynamodb(request.getfixturevalue("cloud"))))


@pytest.fixture(params=["memory", "local cloud"])
def threaded_ledger(request: pytest.FixtureRequest) -> Iterator[Ledger]:
    """A ledger that threads may share; moto's tables are not thread-safe."""
    with ExitStack() as stack:
        if request.param == "memory":
            yield MemoryLedger()
        else:
            yield ledger_on(stack.enter_context(cloud_dynamodb(request.getfixturevalue("cloud"))))
