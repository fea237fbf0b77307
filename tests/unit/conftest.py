"""Unit tests run on fakes alone: sockets are off."""

import pytest
from hypothesis import settings

from tests.fakes.ledger import MemoryLedger
from tests.fakes.service import Service

# No deadline: a busy machine is no bug.
settings.register_profile("quick", deadline=None, max_examples=50)
settings.load_profile("quick")


@pytest.fixture(autouse=True)
def _no_sockets(socket_disabled: None) -> None:
    """pytest-socket's own fixture, for every test here."""


@pytest.fixture(params=[True, False], ids=["all recent", "none recent"])
def service(request: pytest.FixtureRequest) -> Service:
    """A service in a process that has recently seen every run, and in one that has seen none."""
    return Service(ledger=MemoryLedger(all_recent=request.param))
