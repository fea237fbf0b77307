"""A local cloud for all tests of this folder, with template.yaml deployed, a small table and its transform."""

from collections.abc import Iterator

import pytest
from botocore.credentials import Credentials

from label_loop.api import ApiClient
from local.cloud.process import running_cloud
from local.cloud.stack import Stack, deploy
from local.demo.event_listener import subscribe
from local.sample_table import create_transform, upload_table
from tests.local.helpers import EventLog, people


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with running_cloud(tmp_path_factory.mktemp("cloud")) as cloud:
        yield deploy(cloud.endpoint)


@pytest.fixture(scope="session")
def api(stack: Stack) -> ApiClient:
    credentials = Credentials(stack.env["AWS_ACCESS_KEY_ID"], stack.env["AWS_SECRET_ACCESS_KEY"])
    return ApiClient(stack.api_url, stack.env["AWS_REGION"], credentials)


@pytest.fixture(scope="session")
def transform_id(stack: Stack) -> str:
    upload_table(stack, people(40))
    return create_transform(stack, "pk")


@pytest.fixture(scope="session")
def event_log(stack: Stack) -> EventLog:
    return EventLog(subscribe(stack, "tests"))
