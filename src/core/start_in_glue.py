"""Send the start of a reserved run to Glue, once, and record the outcome."""

import logging
from dataclasses import replace

from core.check_label_file import check_label_file
from core.errors import ConcurrencyLimitReached, Conflict, LedgerUnavailable, NotStarted, Refused, ResponseLost, StartPostponed
from core.log_fields import log_fields
from core.ports import Dependencies
from core.runs import Run, RunError, Status, as_ended, as_started, as_unconfirmed

_log = logging.getLogger(__name__)


def start_in_glue(reservation: Run, deps: Dependencies) -> Run:
    """Start a reserved run in Glue, and return it as recorded: STARTING, UNCONFIRMED or REFUSED.

    Raises StartPostponed if nothing was started. The caller then releases or queues the reservation.
    """
    try:
        return _send(check_label_file(reservation, deps), deps)
    except NotStarted as reason:
        raise StartPostponed(reservation, reason) from reason
    except Refused as refusal:
        error = RunError(refusal.code, refusal.message)
        return record_outcome(reservation, as_ended(reservation, Status.REFUSED, deps.clock(), error), "START_REFUSED", deps)


def _send(run: Run, deps: Dependencies) -> Run:
    if deps.clock() - (run.start_attempted_on or run.requested_on) > deps.policy.start_within:
        # The reconciler may soon take this run for lost and look it up: a start from here on could be a second one.
        return record_outcome(run, as_unconfirmed(run, deps.clock()), "START_NOT_SENT_IN_TIME", deps)
    try:
        task_run_id = deps.glue.start(run)
    except (ConcurrencyLimitReached, NotStarted) as reason:
        raise StartPostponed(run, reason) from reason
    except ResponseLost:
        return record_outcome(run, as_unconfirmed(run, deps.clock()), "START_UNCONFIRMED", deps)
    now = deps.clock()
    return record_outcome(run, as_started(run, task_run_id, Status.STARTING, now, now), "STARTED", deps)


def record_outcome(before: Run, after: Run, log_code: str, deps: Dependencies) -> Run:
    """Write the outcome of a start, and return the run as it is then.

    If the ledger does not take it, the reconciler finds the run in Glue. If others changed the run meanwhile, the outcome is
    written on top of it as long as it is about the same start.
    """
    try:
        run = deps.ledger.write(before, after)
    except Conflict as conflict:
        current = conflict.current
        if current is None or not is_same_start(current, before):
            return current or after
        return record_outcome(current, replace(after, cancel_requested=current.cancel_requested), log_code, deps)
    except LedgerUnavailable:
        return left_to_reconciler(before)
    _log.info(log_code, extra=log_fields(run))
    return run


def is_same_start(current: Run, before: Run) -> bool:
    """Whether `current` still waits for the outcome of the start that `before` reserved.

    Meanwhile a cancellation may have been requested, or a retry may have made the run UNCONFIRMED.
    """
    same_attempt = current.start_attempted_on == before.start_attempted_on
    return same_attempt and current.status in (Status.RESERVED, Status.UNCONFIRMED)


def left_to_reconciler(reservation: Run) -> Run:
    """What the caller is told about a run whose outcome could not be written: that its start is unconfirmed."""
    _log.info("RESPONSE_NOT_RECORDED", extra=log_fields(reservation))
    return as_unconfirmed(reservation, reservation.start_attempted_on or reservation.requested_on)
