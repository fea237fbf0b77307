"""Unit tests run on fakes alone: sockets are off."""

import pytest
from hypothesis import settings

from tests.fakes.loop import Loop

# No deadline: a busy machine is no bug.
settings.register_profile("quick", deadline=None, max_examples=50)
settings.load_profile("quick")


@pytest.fixture(autouse=True)
def _no_sockets(socket_disabled: None) -> None:
    """pytest-socket's own fixture, for every test here."""


@pytest.fixture
def loop() -> Loop:
    return Loop()
