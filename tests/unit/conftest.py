"""Unit tests run on fakes alone: sockets are off."""

import pytest

from tests.fakes.loop import Loop


@pytest.fixture(autouse=True)
def _no_sockets(socket_disabled: None) -> None:
    """pytest-socket's own fixture, for every test here."""


@pytest.fixture
def loop() -> Loop:
    return Loop()
