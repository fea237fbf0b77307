"""Start the runs of a transform that are queued, oldest first."""

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import takewhile

from core.errors import Conflict, QueueBlocked, StartPostponed
from core.export_labels import is_import_ready, needs_export
from core.log_fields import log_fields
from core.open_runs import OpenRun
from core.ports import Dependencies, GlueRun
from core.runs import Run, RunError, Status, WaitingReason, as_ended, as_queued, as_reserved
from core.start_in_glue import start_in_glue
from core.track import read_run
from core.waiting import record_reason

_log = logging.getLogger(__name__)


def start_queued_runs(
    queued: Sequence[OpenRun],
    glue_runs: Sequence[GlueRun],
    listed_on: datetime,
    deps: Dependencies,
    has_time_left: Callable[[], bool] = lambda: True,
) -> int:
    """Start as many of the transform's queued runs as Glue accepts, and return how many left the queue.

    `glue_runs` are the transform's task runs, listed after `listed_on`. A run past its start deadline ends START_FAILED. Only
    runs whose turn it may be are read from the ledger, as a queue can be long. `has_time_left` tells whether to go on to the
    next run. Raises LedgerUnavailable.
    """
    left_queue = 0
    blocked: set[bool] = set()  # whether exclusive runs are, whether the others are
    for run in takewhile(lambda _: has_time_left(), _in_queue_order(queued, deps)):
        try:
            if is_past_start_deadline(run, deps.clock(), deps):
                end_at_deadline(read_run(run, deps), deps)
                left_queue += 1
            elif run.task_type.is_exclusive not in blocked and _start_if_ready(read_run(run, deps), glue_runs, listed_on, deps):
                left_queue += 1
            else:
                blocked.add(run.task_type.is_exclusive)
        except (Conflict, QueueBlocked):
            blocked.add(run.task_type.is_exclusive)
        except StartPostponed as postponed:
            # Glue would not start any other run either; a file that cannot be read is that of one import.
            is_file = postponed.waiting_reason is WaitingReason.FILE_UNREADABLE
            blocked.update({True} if is_file else (True, False))
    return left_queue


def is_past_start_deadline(run: Run | OpenRun, now: datetime, deps: Dependencies) -> bool:
    return now - run.requested_on > deps.policy.start_deadline


def as_start_failed(run: Run, now: datetime) -> Run:
    """`run`, ended because it was not started before its deadline."""
    error = RunError("START_DEADLINE", "Glue did not start the run before its start deadline")
    return as_ended(run, Status.START_FAILED, now, error)


def end_at_deadline(run: Run, deps: Dependencies) -> None:
    """End a queued run that was not started in time. Raises Conflict, LedgerUnavailable."""
    _log.info("START_FAILED", extra=log_fields(deps.ledger.write(run, as_start_failed(run, deps.clock()))))


def record_glue_unavailable(queued: Sequence[OpenRun], deps: Dependencies) -> None:
    """Record on the next runs of a transform that they wait because Glue cannot be asked. Raises LedgerUnavailable."""
    in_order = _in_queue_order(queued, deps)
    for is_exclusive in (True, False):
        next_run = next((run for run in in_order if run.task_type.is_exclusive is is_exclusive), None)
        with suppress(Conflict):
            if next_run is not None:
                record_reason(read_run(next_run, deps), WaitingReason.GLUE_UNAVAILABLE, deps)


def _in_queue_order(runs: Sequence[OpenRun], deps: Dependencies) -> Sequence[OpenRun]:
    """The order of the queue item, not that of the hosts' clocks; runs that have just left the queue come last."""
    if len(runs) < 2:  # noqa: PLR2004  nothing to sort
        return runs
    position = {run_id: number for number, run_id in enumerate(deps.ledger.queue(runs[0].transform_id))}
    return sorted(runs, key=lambda run: (position.get(run.id, len(position)), run.requested_on, run.id))


def _start_if_ready(run: Run, glue_runs: Sequence[GlueRun], listed_on: datetime, deps: Dependencies) -> bool:
    """Start the run, unless it still waits for an export; tell whether it was started."""
    try:
        is_ready = not needs_export(run) or is_import_ready(run, glue_runs, listed_on, deps)
        if is_ready:
            _start_queued_run(run, deps)
    except QueueBlocked:
        record_reason(run, WaitingReason.OPEN_IMPORT if run.task_type.is_exclusive else WaitingReason.QUEUE, deps)
        raise
    except StartPostponed as postponed:
        _log.info("STILL_QUEUED", extra=log_fields(run, cause=str(postponed)))
        raise
    return is_ready


def _start_queued_run(run: Run, deps: Dependencies) -> None:
    """Take a run out of the queue and start it. If Glue does not accept it now, it gets its old place in the queue back."""
    reservation = deps.ledger.write(run, as_reserved(run, deps.clock(), deps.policy.lease))
    try:
        start_in_glue(reservation, deps)
    except StartPostponed as postponed:
        deps.ledger.write(reservation, as_queued(postponed.run, deps.clock(), postponed.waiting_reason))
        raise
