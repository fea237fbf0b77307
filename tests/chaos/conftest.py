"""A local cloud whose handlers run only when a test runs them."""

from collections.abc import Iterator

import pytest
from boto3.session import Session

from local.cloud.process import ACCESS_KEY, REGION, SECRET_KEY
from local.cloud.stack import STACK_NAME
from local.demo.event_listener import EventListener, subscribe
from ops.redrive.stack import Deployed, find
from tests.chaos.cloud import ENVIRONMENT, ChaosCloud, chaos_cloud
from tests.chaos.warm_process import prepared


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChaosCloud]:
    with chaos_cloud(tmp_path_factory.mktemp("chaos") / "cloud") as cloud:
        yield cloud
        for client in cloud.clients.values():
            client.close()


@pytest.fixture(scope="module")
def processes(cloud: ChaosCloud) -> Iterator[None]:
    """Prepares this process to fork handler runs, see warm_process."""
    with prepared({**cloud.stack.env, **ENVIRONMENT}):
        yield


@pytest.fixture(scope="module")
def deployed(cloud: ChaosCloud) -> Deployed:
    session = Session(ACCESS_KEY, SECRET_KEY, region_name=REGION)
    return find(STACK_NAME, session, cloud.stack.aws_endpoint_url)


@pytest.fixture(scope="module")
def transform(cloud: ChaosCloud) -> str:
    """A transform in Glue, shared by the module's tests."""
    return cloud.transform("shared")


@pytest.fixture(scope="module")
def bus(cloud: ChaosCloud) -> Iterator[EventListener]:
    """What the bus delivers from now on."""
    listener = subscribe(cloud.stack, "chaos-tests")
    yield listener
    listener.sqs.close()
