"""A local cloud whose handlers run only when a test says so."""

from collections.abc import Iterator

import pytest

from tests.chaos.cloud import ENVIRONMENT, Ground, chaos_cloud
from tests.chaos.handler_runs import prepared


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    with chaos_cloud(tmp_path_factory.mktemp("chaos") / "cloud") as ground:
        yield ground
        for client in ground.clients.values():
            client.close()


@pytest.fixture(scope="module")
def processes(ground: Ground) -> Iterator[None]:
    """Handlers can be run in processes of their own, see handler_runs."""
    with prepared({**ground.stack.env, **ENVIRONMENT}):
        yield
