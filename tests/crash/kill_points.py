"""Kill a process before or after its n-th AWS call."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from core.labeling.ports import LabelingDependencies
from core.ports import Dependencies
from tests.fakes.service import Service


class Killed(BaseException):
    """The process was killed. Not an Exception, so that no handler of the process runs."""


@dataclass(frozen=True)
class Kill:
    """When to kill the process: before or after the AWS call number `call`, counted from 1."""

    call: int
    is_after: bool

    def __str__(self) -> str:
        return f"{'after' if self.is_after else 'before'} call {self.call}"


class _Calls:
    def __init__(self, kill: Kill | None) -> None:
        self.kill = kill
        self.calls_made = 0

    def wrap(self, port: object) -> Any:  # noqa: ANN401  stands in for any port
        return _Port(port, self)

    def carry_out(self, call: Callable[..., Any], *args: Any, **named: Any) -> Any:  # noqa: ANN401  any port's call
        self.calls_made += 1
        is_kill_point = self.kill is not None and self.kill.call == self.calls_made
        if is_kill_point and self.kill and not self.kill.is_after:
            raise Killed
        try:
            return call(*args, **named)
        finally:
            if is_kill_point and self.kill and self.kill.is_after:
                raise Killed


class _Port:
    def __init__(self, port: object, calls: _Calls) -> None:
        self._port = port
        self._calls = calls

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call: Callable[..., Any] = getattr(self._port, name)
        if name == "get_if_recent":  # reads only: to be killed here is to be killed before the next call
            return call
        return lambda *args, **named: self._calls.carry_out(call, *args, **named)


def killable_dependencies(service: Service, kill: Kill | None) -> Dependencies:
    """The dependencies of a process that is killed at `kill`."""
    calls = _Calls(kill)
    return Dependencies(
        calls.wrap(service.ledger), calls.wrap(service.glue), calls.wrap(service.files), service.clock, service.policy
    )


def killable_labeling(deps: LabelingDependencies, kill: Kill | None) -> LabelingDependencies:
    """The same for labeling."""
    calls = _Calls(kill)
    runs = deps.runs
    wrapped = Dependencies(calls.wrap(runs.ledger), calls.wrap(runs.glue), calls.wrap(runs.files), runs.clock, runs.policy)
    return replace(deps, runs=wrapped, documents=calls.wrap(deps.documents), objects=calls.wrap(deps.objects))


def kills(max_calls: int) -> list[Kill | None]:
    """No kill, and every kill before and after each of `most` calls."""
    return [None, *(Kill(call, is_after) for call in range(1, max_calls + 1) for is_after in (False, True))]
