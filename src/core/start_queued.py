"""Start the runs that waited at Glue's limits, oldest first."""

import logging
from collections.abc import Sequence
from datetime import datetime

from core.errors import Conflict, LineAhead, Postponed
from core.export_labels import export_first, needs_export
from core.log_fields import about
from core.open_runs import OpenRun
from core.ports import GlueRun, World
from core.runs import Run, RunError, Status, TaskType, ended, queued, reserved
from core.start import ask
from core.track import whole

_log = logging.getLogger(__name__)


def start_waiting(waiting: Sequence[OpenRun], seen: Sequence[GlueRun], world: World) -> int:
    """Start as many of a transform's queued runs as Glue takes, and return how many left the queue.

    `seen` is the transform's listing. A run that waited past the start deadline ends START_FAILED instead. Only those whose
    turn it may be are read whole: a queue can be long. Raises LedgerUnavailable.
    """
    gone = 0
    blocked: set[TaskType] = set()
    for run in sorted(waiting, key=lambda one: (one.requested_on, one.id)):
        try:
            if waited_too_long(run, world.clock(), world):
                _give_up(whole(run, world), world)
                gone += 1
            elif run.task_type not in blocked and _start_if_ready(whole(run, world), seen, world):
                gone += 1
            else:
                blocked.add(run.task_type)
        except (Conflict, LineAhead):
            blocked.add(run.task_type)
        except Postponed:
            blocked.update(TaskType)
    return gone


def _give_up(run: Run, world: World) -> None:
    _log.info("START_FAILED", extra=about(world.ledger.write(run, start_failed(run, world.clock()))))


def _start_if_ready(run: Run, seen: Sequence[GlueRun], world: World) -> bool:
    try:
        ready = export_first(run, seen, world) if needs_export(run) else run
        if ready is not None:
            start_one(ready, world)
    except Postponed as later:
        _log.info("STILL_QUEUED", extra=about(run, cause=str(later)))
        raise
    return ready is not None


def start_one(run: Run, world: World) -> Run:
    """Take a run out of the line and ask Glue for it; if Glue still has no room, it waits again, in its old place.

    Raises Conflict, LineAhead, Postponed, LedgerUnavailable.
    """
    reservation = world.ledger.write(run, reserved(run, world.clock(), world.policy.lease))
    try:
        return ask(reservation, world)
    except Postponed as later:
        world.ledger.write(reservation, queued(later.run, world.clock()))
        raise


def waited_too_long(run: Run | OpenRun, now: datetime, world: World) -> bool:
    return now - run.requested_on > world.policy.start_deadline


def start_failed(run: Run, now: datetime) -> Run:
    reason = RunError("START_DEADLINE", "Glue did not start the run before its start deadline")
    return ended(run, Status.START_FAILED, now, reason)
