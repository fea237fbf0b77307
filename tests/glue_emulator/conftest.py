"""Labs, in process and over HTTP."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws

from tests.glue_emulator.lab import Bench, Lab, make_client
from tests.glue_emulator.servers import Servers, glue_server, lab_over_http, local_aws


@pytest.fixture
def bench() -> Iterator[Bench]:
    with mock_aws(config={"core": {"passthrough": {"services": ["glue"]}}}):
        s3 = make_client("s3")
        bench = Bench(s3, {})
        yield bench
        for service in bench.services:
            service.close()
        for client in (*bench.clients, s3):
            client.close()


@pytest.fixture
def lab(bench: Bench, tmp_path: Path) -> Lab:
    """The service in this process."""
    return bench.open(tmp_path / "state")[0]


@pytest.fixture(params=["in process", "over HTTP"])
def any_lab(request: pytest.FixtureRequest) -> Lab:
    """The service in this process, and as a server of its own beside a local AWS."""
    lab: Lab = request.getfixturevalue("lab" if request.param == "in process" else "http_lab")
    return lab


@pytest.fixture(scope="session")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """A local AWS for the catalog and S3, and `python -m local.glue` on it."""
    folder = tmp_path_factory.mktemp("servers")
    with local_aws(folder) as aws_url, glue_server(folder / "state", aws_url) as glue_url:
        yield Servers(aws_url, glue_url)


@pytest.fixture
def http_lab(servers: Servers) -> Iterator[Lab]:
    with lab_over_http(servers) as lab:
        yield lab
