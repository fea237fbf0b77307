"""Pause a process at each AWS call while retries, reconcilers and cancellations run."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest

from core.cancel import cancel
from core.errors import LoopError
from core.ports import Dependencies
from core.reconcile import reconcile
from core.requests import StartCommand
from core.start import start
from tests.crash.invariants import check_invariants, run_to_the_end, send, tick
from tests.fakes.glue import Fault
from tests.fakes.service import Service, evaluation_command, import_command, labeling_command

KEY = "the key"
COMMANDS: dict[str, Callable[..., StartCommand]] = {
    "labeling set": labeling_command,
    "import": import_command,
    "evaluation": evaluation_command,
}
# Lambda ends the API's function after 29 s: no longer pause is possible.
PAUSE_SECONDS = [0, 25]


def _nothing(_: Service) -> None:
    pass


def _resend(service: Service) -> None:
    for make in COMMANDS.values():
        send(service, make(KEY))


def _tick_twice(service: Service) -> None:
    tick(service)
    tick(service)


def _cancel(service: Service) -> None:
    for run in list(service.ledger.open_runs()):
        with suppress(LoopError):
            cancel(run.id, service.deps)


def _finish_and_tick(service: Service) -> None:
    service.glue.finish_all()
    tick(service)


ACTIONS = [_nothing, _resend, _tick_twice, _cancel, _finish_and_tick]


@dataclass
class _Pause:
    """Wraps the ports: at call number `at_call`, time passes and `action` runs."""

    service: Service
    at_call: int
    seconds: float
    action: Callable[[Service], None]
    calls_made: int = 0

    def wrap(self, port: object) -> Any:  # noqa: ANN401  stands in for any port
        return _Port(port, self)

    def pause(self) -> None:
        self.calls_made += 1
        if self.calls_made == self.at_call:
            self.service.clock.pass_seconds(self.seconds)
            self.action(self.service)


class _Port:
    def __init__(self, port: object, pause: _Pause) -> None:
        self._port = port
        self._pause = pause

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._port, name)

        def paused(*args: object, **named: object) -> object:
            self._pause.pause()  # before the call ...
            try:
                return call(*args, **named)
            finally:
                self._pause.pause()  # ... and before its response arrives

        return paused


def pausing_dependencies(pause: _Pause) -> Dependencies:
    service = pause.service
    return Dependencies(
        pause.wrap(service.ledger), pause.wrap(service.glue), pause.wrap(service.files), service.clock, service.policy
    )


@pytest.mark.parametrize("kind", COMMANDS)
@pytest.mark.parametrize("fault", [None, *Fault], ids=str)
def test_request_paused_at_any_call_still_starts_one_run(kind: str, fault: Fault | None) -> None:
    for at_call, seconds, action in product(range(1, 9), PAUSE_SECONDS, ACTIONS):
        service = Service()
        service.glue.label_count = 30
        service.glue.faults += [fault] if fault else []
        pause = _Pause(service, at_call, seconds, action)
        with suppress(LoopError):
            start(COMMANDS[kind](KEY), pausing_dependencies(pause))
        run_to_the_end(service)
        check_invariants(service, accepted=set())


@pytest.mark.parametrize("kind", COMMANDS)
@pytest.mark.parametrize("fault", [None, Fault.LOST_AFTER, Fault.LOST_BEFORE], ids=str)
def test_reconciler_paused_at_any_call_does_no_harm(kind: str, fault: Fault | None) -> None:
    for at_call, seconds, action in product(range(1, 27), [61, 130, 400], ACTIONS):
        service = Service()
        service.glue.label_count = 30
        service.glue.faults += [fault] if fault else []
        for number in range(5):
            send(service, COMMANDS[kind](f"key {number}"))
        service.clock.pass_seconds(seconds)
        tick(service)
        service.glue.finish_all()
        service.clock.pass_seconds(seconds)
        reconcile(pausing_dependencies(_Pause(service, at_call, 0, action)))
        run_to_the_end(service)
        check_invariants(service, accepted=set())
        assert len(service.ledger.items) >= 5
