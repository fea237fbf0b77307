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


@pytest.fixture(params=[True, False], ids=["recalls", "meets"])
def service(request: pytest.FixtureRequest) -> Service:
    """In a process that has met every run of the ledger before, and in one that meets each for the first time."""
    return Service(ledger=MemoryLedger(all_recent=request.param))
