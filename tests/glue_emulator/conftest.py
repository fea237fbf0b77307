"""Emulators, in process and over HTTP."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws

from tests.glue_emulator.emulator import Emulator, EmulatorFactory, make_client
from tests.glue_emulator.servers import Servers, emulator_over_http, glue_server, local_aws


@pytest.fixture
def emulators() -> Iterator[EmulatorFactory]:
    with mock_aws(config={"core": {"passthrough": {"services": ["glue"]}}}):
        s3 = make_client("s3")
        emulators = EmulatorFactory(s3, {})
        yield emulators
        for service in emulators.services:
            service.close()
        for client in (*emulators.clients, s3):
            client.close()


@pytest.fixture
def emulator(emulators: EmulatorFactory, tmp_path: Path) -> Emulator:
    """The emulator in this process."""
    return emulators.start(tmp_path / "state")[0]


@pytest.fixture(params=["in process", "over HTTP"])
def any_emulator(request: pytest.FixtureRequest) -> Emulator:
    """The emulator in this process, and as a server beside a local AWS."""
    emulator: Emulator = request.getfixturevalue("emulator" if request.param == "in process" else "http_emulator")
    return emulator


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """A local AWS for the catalog and S3, and `python -m local.glue` on it."""
    folder = tmp_path_factory.mktemp("servers")
    with local_aws(folder) as aws_url, glue_server(folder / "state", aws_url) as glue_url:
        yield Servers(aws_url, glue_url)


@pytest.fixture
def http_emulator(servers: Servers) -> Iterator[Emulator]:
    with emulator_over_http(servers) as emulator:
        yield emulator
