"""Settle a start whose answer was lost: by looking the run up, and asking again only when it is proved not to be there."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from core.errors import StartPostponed
from core.log_fields import log_fields
from core.ports import Dependencies, GlueRun
from core.runs import Run, RunError, Status, as_ended, as_reserved, as_unconfirmed
from core.start import ask
from core.start_queued import is_past_start_deadline, start_failed
from core.track import record_glue_run

_log = logging.getLogger(__name__)
# A Glue run may belong to a request that was accepted long before the run started: requests wait up to their start deadline,
# and the deadline may have been longer when that request was accepted.
_MIN_OWNER_AGE = timedelta(days=14)


def settle(run: Run, seen: Sequence[GlueRun], now: datetime, deps: Dependencies) -> Run:
    """Find out what became of a RESERVED or UNCONFIRMED run. `seen` is the transform's listing, taken after `now`.

    Raises Conflict, GlueUnavailable, LedgerUnavailable.
    """
    if run.status is Status.RESERVED and run.lease_until and now <= run.lease_until:
        return run
    found = _find(run, seen, deps)
    if found is not None:
        _log.info("START_CONFIRMED", extra=log_fields(run))
        return record_glue_run(run, found, now, deps)
    if run.status is Status.RESERVED:
        return deps.ledger.write(run, as_unconfirmed(run, now))
    if now - (run.changed_on or now) < deps.policy.confirm_after:
        return run
    return _not_started(run, now, deps)


def _find(run: Run, seen: Sequence[GlueRun], deps: Dependencies) -> GlueRun | None:
    alike = [one for one in seen if _is_alike(one, run)]
    if not run.is_import:
        return alike[0] if alike else None  # no other run is ever given this run's own prefix
    start_attempted_on = run.start_attempted_on or run.requested_on
    recent = [one for one in alike if one.started_on >= start_attempted_on - deps.policy.clock_skew]
    if not recent:
        return None
    accepted_since = start_attempted_on - max(2 * deps.policy.start_deadline, _MIN_OWNER_AGE)
    owned = deps.ledger.known_task_run_ids(run.transform_id or "", accepted_since)
    ours = [one for one in recent if one.task_run_id not in owned]
    return min(
        ours, key=lambda one: (one.started_on < start_attempted_on, abs(one.started_on - start_attempted_on)), default=None
    )


def _is_alike(glue_run: GlueRun, run: Run) -> bool:
    return (
        glue_run.task_type == run.task_type
        and (glue_run.path or "").rstrip("/") == (run.path or "").rstrip("/")
        and bool(glue_run.replace_all_labels) == bool(run.replace_all_labels)
    )


def _not_started(run: Run, now: datetime, deps: Dependencies) -> Run:
    if run.cancel_requested:
        return deps.ledger.write(run, as_ended(run, Status.CANCELLED, now))
    if is_past_start_deadline(run, now, deps):
        return deps.ledger.write(run, start_failed(run, now))
    reservation = deps.ledger.write(run, as_reserved(run, deps.clock(), deps.policy.lease))
    try:
        return ask(reservation, deps)
    except StartPostponed as later:
        # The doubt stays: a limit may have been reached by this very run. So it is looked up again before the next try, from
        # the doubtful start on.
        doubt = replace(as_unconfirmed(later.run, now), start_attempted_on=run.start_attempted_on, changed_on=run.changed_on)
        reason = RunError("AT_LIMIT" if later.at_limit else "NOT_STARTED", str(later))
        return deps.ledger.write(reservation, replace(doubt, error=reason))
