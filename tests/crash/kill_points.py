"""A process that is killed before, or after, the n-th AWS call that it makes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.ports import Dependencies
from tests.fakes.service import Service


class Killed(BaseException):
    """Not an Exception: a killed process runs no handler of its own."""


@dataclass(frozen=True)
class Kill:
    """Where the process dies: `call` counts from 1; never, if it makes fewer calls."""

    call: int
    is_after: bool

    def __str__(self) -> str:
        return f"{'after' if self.is_after else 'before'} call {self.call}"


class _Calls:
    def __init__(self, kill: Kill | None) -> None:
        self.kill = kill
        self.made = 0

    def wrap(self, port: object) -> Any:  # noqa: ANN401  stands in for any port
        return _Port(port, self)

    def carry_out(self, call: Callable[..., Any], *args: Any, **named: Any) -> Any:  # noqa: ANN401  any port's call
        self.made += 1
        mine = self.kill is not None and self.kill.call == self.made
        if mine and self.kill and not self.kill.is_after:
            raise Killed
        try:
            return call(*args, **named)
        finally:
            if mine and self.kill and self.kill.is_after:
                raise Killed


class _Port:
    def __init__(self, port: object, calls: _Calls) -> None:
        self._port = port
        self._calls = calls

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call: Callable[..., Any] = getattr(self._port, name)
        if name == "get_if_recent":  # a read, or no call at all: to die there is to die before the next one
            return call
        return lambda *args, **named: self._calls.carry_out(call, *args, **named)


def killable_dependencies(service: Service, kill: Kill | None) -> Dependencies:
    """The loop's world, as a process sees it that dies at `kill`."""
    calls = _Calls(kill)
    return Dependencies(
        calls.wrap(service.ledger), calls.wrap(service.glue), calls.wrap(service.files), service.clock, service.policy
    )


def kills(most: int) -> list[Kill | None]:
    """No kill, and every kill before and after each of `most` calls."""
    return [None, *(Kill(call, is_after) for call in range(1, most + 1) for is_after in (False, True))]
