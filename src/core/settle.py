"""Settle a start whose outcome is unknown: look the run up in Glue, and start it again only if it is proved not to be there."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from core.errors import StartPostponed
from core.log_fields import log_fields
from core.ports import Dependencies, GlueRun
from core.runs import Run, RunError, Status, as_ended, as_reserved, as_unconfirmed
from core.start_in_glue import start_in_glue
from core.start_queued import as_start_failed, is_past_start_deadline
from core.track import record_glue_run

_log = logging.getLogger(__name__)
# A Glue run may belong to a request that was accepted long before the run started: requests wait up to their start deadline,
# and the deadline may have been longer when that request was accepted.
_MIN_OWNER_AGE = timedelta(days=14)


def settle(run: Run, glue_runs: Sequence[GlueRun], now: datetime, deps: Dependencies) -> Run:
    """Find out whether Glue started a RESERVED or UNCONFIRMED run, and record it.

    `glue_runs` are the transform's task runs, listed after `now`. Raises Conflict, GlueUnavailable, LedgerUnavailable.
    """
    if run.status is Status.RESERVED and run.lease_until and now <= run.lease_until:
        return run
    glue_run = _find_task_run(run, glue_runs, deps)
    if glue_run is not None:
        _log.info("START_CONFIRMED", extra=log_fields(run))
        return record_glue_run(run, glue_run, now, deps)
    if run.status is Status.RESERVED:
        return deps.ledger.write(run, as_unconfirmed(run, now))
    if now - (run.changed_on or now) < deps.policy.confirm_after:
        return run
    return _start_again(run, now, deps)


def is_unsettled_past_deadline(run: Run, now: datetime, deps: Dependencies) -> bool:
    """Whether it can no longer be waited for Glue to say what became of the start of `run`."""
    rested = now - (run.changed_on or run.requested_on)
    return rested >= deps.policy.confirm_after and is_past_start_deadline(run, now, deps)


def as_unsettled(run: Run, now: datetime) -> Run:
    """`run`, ended although Glue may have started it: nobody can be asked. The same key does not start it again."""
    error = RunError(
        "START_NOT_SETTLED",
        "Glue could not be asked before the start deadline whether it started the run; look for the run in Glue",
    )
    return as_ended(run, Status.LOST, now, error)


def _find_task_run(run: Run, glue_runs: Sequence[GlueRun], deps: Dependencies) -> GlueRun | None:
    """The task run that `run` started.

    The path identifies a labeling set's and an export's. Several imports may have the same file, and all evaluations look the
    same: then it is the one that started closest to the attempt, preferably after it, among those that belong to no other run.
    """
    candidates = [glue_run for glue_run in glue_runs if _has_same_arguments(glue_run, run)]
    if run.task_type.has_own_path:
        return candidates[0] if candidates else None
    attempted_on = run.start_attempted_on or run.requested_on
    recent = [candidate for candidate in candidates if candidate.started_on >= attempted_on - deps.policy.clock_skew]
    if not recent:
        return None
    accepted_since = attempted_on - max(2 * deps.policy.start_deadline, _MIN_OWNER_AGE)
    known_ids = deps.ledger.known_task_run_ids(run.transform_id or "", accepted_since)
    return min(
        (candidate for candidate in recent if candidate.task_run_id not in known_ids),
        key=lambda candidate: (candidate.started_on < attempted_on, abs(candidate.started_on - attempted_on)),
        default=None,
    )


def _has_same_arguments(glue_run: GlueRun, run: Run) -> bool:
    return (
        glue_run.task_type == run.task_type
        and (glue_run.path or "").rstrip("/") == (run.path or "").rstrip("/")
        and bool(glue_run.replace_all_labels) == bool(run.replace_all_labels)
    )


def _start_again(run: Run, now: datetime, deps: Dependencies) -> Run:
    """Start a run that Glue has not started, unless it was cancelled or its deadline has passed."""
    if run.cancel_requested:
        return deps.ledger.write(run, as_ended(run, Status.CANCELLED, now))
    if is_past_start_deadline(run, now, deps):
        return deps.ledger.write(run, as_start_failed(run, now))
    reservation = deps.ledger.write(run, as_reserved(run, deps.clock(), deps.policy.lease))
    try:
        return start_in_glue(reservation, deps)
    except StartPostponed as postponed:
        # Stays UNCONFIRMED: if Glue is at its limit, the lost run may itself hold the slot. The next round looks it up again,
        # from the time of the first attempt on.
        error = RunError("AT_LIMIT" if postponed.at_limit else "NOT_STARTED", str(postponed))
        unconfirmed = as_unconfirmed(postponed.run, now)
        attempted_on, changed_on = run.start_attempted_on, run.changed_on
        return deps.ledger.write(
            reservation, replace(unconfirmed, start_attempted_on=attempted_on, changed_on=changed_on, error=error)
        )
