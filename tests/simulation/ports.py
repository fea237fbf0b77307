"""The ports as one simulated process has them: every call stops, and may fail in each way that the real one may fail."""

from collections.abc import Callable
from typing import Any

from core.errors import GlueUnavailable, LedgerUnavailable, NotStarted, Refused, ResponseLost, S3Unavailable
from tests.simulation.processes import Crashed, Outcome, PortCall, stop_at

READS = {
    "checkpoint",
    "current_version",
    "get",
    "get_if_recent",
    "get_task_run",
    "get_transform",
    "known_task_run_ids",
    "list_runs",
    "list_task_runs",
    "open",
    "open_runs",
}
STARTS = {"start", "start_export"}


class SimulatedPort:
    """Stands in for `port`. `delay` is given calls whose effect comes later."""

    def __init__(self, name: str, port: object, delay: Callable[[Callable[[], object]], None]) -> None:
        self._name = name
        self._port = port
        self._delay = delay

    def __getattr__(self, method: str) -> Callable[..., Any]:
        target: Callable[..., Any] = getattr(self._port, method)

        def call(*args: Any, **named: Any) -> Any:  # noqa: ANN401  any port's call
            outcome = stop_at(PortCall(self._name, method, args))
            if outcome is Outcome.CRASH_BEFORE:
                raise Crashed
            if outcome in (Outcome.FAIL_BEFORE, Outcome.LOST, Outcome.REFUSED):
                raise self._failure(method, outcome)
            if outcome is Outcome.DELAYED:
                self._delay(lambda: target(*args, **named))
                raise self._failure(method, Outcome.FAIL_AFTER)
            result = target(*args, **named)
            if outcome is Outcome.CRASH_AFTER:
                raise Crashed
            if outcome is Outcome.FAIL_AFTER:
                raise self._failure(method, outcome)
            return list(result) if method == "open_runs" else result

        return call

    def _failure(self, method: str, outcome: Outcome) -> Exception:
        if self._name == "ledger":
            return LedgerUnavailable("simulated")
        if self._name == "files":
            return S3Unavailable("simulated")
        if outcome is Outcome.REFUSED:
            return Refused("AccessDeniedException", "simulated")
        if method not in STARTS:
            return GlueUnavailable("simulated")
        return NotStarted("simulated") if outcome is Outcome.FAIL_BEFORE else ResponseLost("simulated")


def possible_outcomes(call: PortCall) -> dict[Outcome, int]:
    """What may happen to `call`, and how often in a thousand."""
    if call.method in READS:
        return {Outcome.OK: 960, Outcome.CRASH_BEFORE: 20, Outcome.FAIL_BEFORE: 20}
    outcomes = {
        Outcome.OK: 880,
        Outcome.CRASH_BEFORE: 20,
        Outcome.CRASH_AFTER: 20,
        Outcome.FAIL_BEFORE: 20,
        Outcome.FAIL_AFTER: 40,
    }
    if call.method in STARTS:
        outcomes |= {Outcome.LOST: 20, Outcome.DELAYED: 20, Outcome.REFUSED: 10}
    return outcomes
