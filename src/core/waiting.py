"""Start the runs that waited at Glue's limits, oldest first."""

import logging
from collections.abc import Sequence
from datetime import datetime

from core.decisions import about
from core.errors import Conflict, LineAhead, Postponed
from core.export import export_first, needs_export
from core.ports import GlueRun, World
from core.runs import Run, RunError, Status, TaskType, ended, queued, reserved
from core.start import ask

_log = logging.getLogger(__name__)


def start_waiting(waiting: Sequence[Run], seen: Sequence[GlueRun], world: World) -> int:
    """Start as many of a transform's queued runs as Glue takes, and return how many left the queue.

    `waiting` is oldest first, `seen` the transform's listing. A run that waited past the start deadline ends START_FAILED
    instead. Raises LedgerUnavailable.
    """
    gone = 0
    blocked: set[TaskType] = set()
    for run in waiting:
        try:
            if waited_too_long(run, world.clock(), world):
                _log.info("START_FAILED", extra=about(world.ledger.write(run, start_failed(run, world.clock()))))
                gone += 1
            elif run.task_type not in blocked and _start_if_ready(run, seen, world):
                gone += 1
            else:
                blocked.add(run.task_type)
        except (Conflict, LineAhead):
            blocked.add(run.task_type)
        except Postponed as later:
            _log.info("STILL_QUEUED", extra=about(run, cause=str(later)))
            blocked.update(TaskType)
    return gone


def _start_if_ready(run: Run, seen: Sequence[GlueRun], world: World) -> bool:
    if needs_export(run):
        exported = export_first(run, seen, world)
        if exported is None:
            return False
        run = exported
    start_one(run, world)
    return True


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


def waited_too_long(run: Run, now: datetime, world: World) -> bool:
    return now - run.requested_on > world.policy.start_deadline


def start_failed(run: Run, now: datetime) -> Run:
    reason = RunError("START_DEADLINE", "Glue did not start the run before its start deadline")
    return ended(run, Status.START_FAILED, now, reason)
