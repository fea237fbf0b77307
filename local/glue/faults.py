"""Faults that tests inject: errors, lost messages and delays of Glue. All are off by default.

A call fault affects the next `times` calls of an operation; the other faults stay on until they are changed.
"""

import threading
from dataclasses import dataclass, replace
from typing import Literal, get_args

FaultKind = Literal["lost-reply", "lost-request", "late-reply", "throttling", "internal-error", "internal-error-after"]
KINDS: tuple[str, ...] = get_args(FaultKind)


@dataclass(frozen=True)
class CallFault:
    """A fault of the next `times` calls of an operation ("*": any ML operation). By `kind`:

    - lost-request: the connection is aborted before the call is handled
    - lost-reply: the call is handled, then the connection is aborted
    - late-reply: the call is handled, the response is sent after `seconds`
    - throttling: ThrottlingException (400), the call is not handled
    - internal-error: InternalServiceException (500), the call is not handled
    - internal-error-after: InternalServiceException (500), the call is handled
    """

    operation: str
    kind: FaultKind
    times: int = 1
    seconds: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"No such fault: {self.kind!r}. There are {', '.join(KINDS)}.")
        if self.times < 0 or self.seconds < 0:
            raise ValueError("times and seconds must not be negative.")


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
    """The current plan. Any thread may read or change it."""

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

    def take(self, operation: str) -> CallFault | None:
        """The first fault of the plan that affects this call. Its count in the plan goes down by one."""
        with self._lock:
            for index, fault in enumerate(self._plan.calls):
                if fault.times > 0 and fault.operation in (operation, "*"):
                    remaining = (replace(fault, times=fault.times - 1),) if fault.times > 1 else ()
                    calls = self._plan.calls[:index] + remaining + self._plan.calls[index + 1 :]
                    self._plan = replace(self._plan, calls=calls)
                    return fault
        return None
