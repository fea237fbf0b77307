"""A process that is held up at every point, while others go on: retries, reconcilers, cancellations."""

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
from tests.fakes.service import Service, import_command, labeling_command

KEY = "the key"
ORDERS: dict[str, Callable[..., StartCommand]] = {"labeling set": labeling_command, "import": import_command}
# Lambda ends the API's function after 29 s, so that nobody is held up longer and goes on.
SECONDS = [0, 25]


def _nothing(_: Service) -> None:
    pass


def _resend(service: Service) -> None:
    for make in ORDERS.values():
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


INTERLUDES = [_nothing, _resend, _tick_twice, _cancel, _finish_and_tick]


@dataclass
class _HeldUp:
    """Wraps a port: at the n-th call of all, time passes and others do something."""

    service: Service
    at_call: int
    seconds: float
    interlude: Callable[[Service], None]
    made: int = 0

    def wrap(self, port: object) -> Any:  # noqa: ANN401  stands in for any port
        return _Port(port, self)

    def pause(self) -> None:
        self.made += 1
        if self.made == self.at_call:
            self.service.clock.pass_seconds(self.seconds)
            self.interlude(self.service)


class _Port:
    def __init__(self, port: object, held_up: _HeldUp) -> None:
        self._port = port
        self._held_up = held_up

    def __getattr__(self, name: str) -> Callable[..., Any]:
        call = getattr(self._port, name)

        def paused(*args: object, **named: object) -> object:
            self._held_up.pause()  # before the call ...
            try:
                return call(*args, **named)
            finally:
                self._held_up.pause()  # ... and before its answer is seen

        return paused


def _held_up_world(held_up: _HeldUp) -> Dependencies:
    service = held_up.service
    return Dependencies(
        held_up.wrap(service.ledger), held_up.wrap(service.glue), held_up.wrap(service.files), service.clock, service.policy
    )


@pytest.mark.parametrize("kind", ORDERS)
@pytest.mark.parametrize("fault", [None, *Fault], ids=str)
def test_a_request_held_up_anywhere_still_starts_one_run(kind: str, fault: Fault | None) -> None:
    for at_call, seconds, interlude in product(range(1, 9), SECONDS, INTERLUDES):
        service = Service()
        service.glue.faults += [fault] if fault else []
        held_up = _HeldUp(service, at_call, seconds, interlude)
        with suppress(LoopError):
            start(ORDERS[kind](KEY), _held_up_world(held_up))
        run_to_the_end(service)
        check_invariants(service, accepted=set())


@pytest.mark.parametrize("kind", ORDERS)
@pytest.mark.parametrize("fault", [None, Fault.LOST_AFTER, Fault.LOST_BEFORE], ids=str)
def test_two_reconcilers_at_once_do_what_one_would(kind: str, fault: Fault | None) -> None:
    for at_call, waits, interlude in product(range(1, 27), [61, 130, 400], INTERLUDES):
        service = Service()
        service.glue.faults += [fault] if fault else []
        for number in range(5):
            send(service, ORDERS[kind](f"key {number}"))
        service.clock.pass_seconds(waits)
        tick(service)
        service.glue.finish_all()
        service.clock.pass_seconds(waits)
        reconcile(_held_up_world(_HeldUp(service, at_call, 0, interlude)))
        run_to_the_end(service)
        check_invariants(service, accepted=set())
        assert len(service.ledger.items) >= 5
