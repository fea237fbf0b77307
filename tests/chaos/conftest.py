"""A local cloud whose handlers run only when a test runs them."""

from collections.abc import Iterator

import pytest

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
