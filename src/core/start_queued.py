"""Start the runs that waited at Glue's limits, oldest first."""

import logging
from collections.abc import Sequence
from datetime import datetime

from core.errors import Conflict, QueueBlocked, StartPostponed
from core.export_labels import export_first, needs_export
from core.log_fields import log_fields
from core.open_runs import OpenRun
from core.ports import Dependencies, GlueRun
from core.runs import Run, RunError, Status, TaskType, as_ended, as_queued, as_reserved
from core.start import ask
from core.track import whole

_log = logging.getLogger(__name__)


def start_queued_runs(waiting: Sequence[OpenRun], seen: Sequence[GlueRun], deps: Dependencies) -> int:
    """Start as many of a transform's queued runs as Glue takes, and return how many left the queue.

    `seen` is the transform's listing. A run that waited past the start deadline ends START_FAILED instead. Only those whose
    turn it may be are read whole: a queue can be long. Raises LedgerUnavailable.
    """
    gone = 0
    blocked: set[TaskType] = set()
    for run in sorted(waiting, key=lambda one: (one.requested_on, one.id)):
        try:
            if is_past_start_deadline(run, deps.clock(), deps):
                _give_up(whole(run, deps), deps)
                gone += 1
            elif run.task_type not in blocked and _start_if_ready(whole(run, deps), seen, deps):
                gone += 1
            else:
                blocked.add(run.task_type)
        except (Conflict, QueueBlocked):
            blocked.add(run.task_type)
        except StartPostponed:
            blocked.update(TaskType)
    return gone


def _give_up(run: Run, deps: Dependencies) -> None:
    _log.info("START_FAILED", extra=log_fields(deps.ledger.write(run, start_failed(run, deps.clock()))))


def _start_if_ready(run: Run, seen: Sequence[GlueRun], deps: Dependencies) -> bool:
    try:
        ready = export_first(run, seen, deps) if needs_export(run) else run
        if ready is not None:
            start_queued_run(ready, deps)
    except StartPostponed as later:
        _log.info("STILL_QUEUED", extra=log_fields(run, cause=str(later)))
        raise
    return ready is not None


def start_queued_run(run: Run, deps: Dependencies) -> Run:
    """Take a run out of the line and ask Glue for it; if Glue still has no room, it waits again, in its old place.

    Raises Conflict, LineAhead, StartPostponed, LedgerUnavailable.
    """
    reservation = deps.ledger.write(run, as_reserved(run, deps.clock(), deps.policy.lease))
    try:
        return ask(reservation, deps)
    except StartPostponed as later:
        deps.ledger.write(reservation, as_queued(later.run, deps.clock()))
        raise


def is_past_start_deadline(run: Run | OpenRun, now: datetime, deps: Dependencies) -> bool:
    return now - run.requested_on > deps.policy.start_deadline


def start_failed(run: Run, now: datetime) -> Run:
    reason = RunError("START_DEADLINE", "Glue did not start the run before its start deadline")
    return as_ended(run, Status.START_FAILED, now, reason)
