"""Faults that tests switch on: what a client meets on a bad day with Glue. All off by default.

Faults of calls hit the next `times` calls of an operation; the rest holds until it is changed.
"""

import threading
from dataclasses import dataclass, replace
from typing import Literal, get_args

FaultKind = Literal["lost-reply", "lost-request", "late-reply", "throttling", "internal-error", "internal-error-after"]
KINDS: tuple[str, ...] = get_args(FaultKind)


@dataclass(frozen=True)
class CallFault:
    """One fault of calls.

    lost-reply: the call does its work, then the connection is aborted. lost-request: aborted with nothing done.
    late-reply: the work is done, the answer comes after `seconds`. throttling: ThrottlingException (400), nothing done.
    internal-error: InternalServiceException (500), nothing done. internal-error-after: the same, but the work was done.
    `operation` "*" means any ML operation.
    """

    operation: str
    kind: FaultKind
    times: int = 1
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"No such fault: {self.kind!r}. There are {', '.join(KINDS)}.")
        if self.times < 0 or self.seconds < 0:
            raise ValueError("times and seconds are not negative.")


@dataclass(frozen=True)
class FaultPlan:
    """`listing_delay_seconds`: how long a new run is missing from GetMLTaskRuns. `slot_release_seconds`: how long an
    ended run still counts against the limits of concurrent runs. `hold_runs`: runs stay in STARTING while it is on.
    """

    calls: tuple[CallFault, ...] = ()
    listing_delay_seconds: float = 0.0
    slot_release_seconds: float = 0.0
    hold_runs: bool = False


class Faults:
    """The plan in force, safe to change while calls are under way."""

    def __init__(self, plan: FaultPlan | None = None) -> None:
        self._lock = threading.Lock()
        self._plan = plan or FaultPlan()

    @property
    def plan(self) -> FaultPlan:
        with self._lock:
            return self._plan

    def apply(self, plan: FaultPlan) -> None:
        with self._lock:
            self._plan = plan

    def clear(self) -> None:
        self.apply(FaultPlan())

    def next_of(self, operation: str) -> CallFault | None:
        """The fault this call meets, counted off the plan; the first in the plan's order wins."""
        with self._lock:
            for number, fault in enumerate(self._plan.calls):
                if fault.times > 0 and fault.operation in (operation, "*"):
                    left = (replace(fault, times=fault.times - 1),) if fault.times > 1 else ()
                    calls = self._plan.calls[:number] + left + self._plan.calls[number + 1 :]
                    self._plan = replace(self._plan, calls=calls)
                    return fault
        return None
