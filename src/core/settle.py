"""Settle a start whose answer was lost: by looking the run up, and asking again only when it is proved not to be there."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from core.errors import Postponed
from core.log_fields import about
from core.ports import GlueRun, World
from core.runs import Run, RunError, Status, ended, reserved, unconfirmed
from core.start import ask
from core.start_queued import start_failed, waited_too_long
from core.track import keep_up

_log = logging.getLogger(__name__)


def settle(run: Run, seen: Sequence[GlueRun], now: datetime, world: World) -> Run:
    """Find out what became of a RESERVED or UNCONFIRMED run. `seen` is the transform's listing, taken after `now`.

    Raises Conflict, GlueUnavailable, LedgerUnavailable.
    """
    if run.status is Status.RESERVED and run.lease_until and now <= run.lease_until:
        return run
    found = _find(run, seen, world)
    if found is not None:
        _log.info("START_CONFIRMED", extra=about(run))
        return keep_up(run, found, now, world)
    if run.status is Status.RESERVED:
        return world.ledger.write(run, unconfirmed(run, now))
    if now - (run.changed_on or now) < world.policy.confirm_after:
        return run
    return _not_started(run, now, world)


def _find(run: Run, seen: Sequence[GlueRun], world: World) -> GlueRun | None:
    alike = [one for one in seen if _is_alike(one, run)]
    if not run.is_import:
        return alike[0] if alike else None  # no other run is ever given this run's own prefix
    asked_on = run.asked_on or run.requested_on
    recent = [one for one in alike if one.started_on >= asked_on - world.policy.skew]
    if not recent:
        return None
    owned = world.ledger.owned(run.transform_id or "", run.requested_on - 2 * world.policy.start_deadline)
    ours = [one for one in recent if one.task_run_id not in owned]
    return min(ours, key=lambda one: (one.started_on < asked_on, abs(one.started_on - asked_on)), default=None)


def _is_alike(glue_run: GlueRun, run: Run) -> bool:
    return (
        glue_run.task_type == run.task_type
        and (glue_run.path or "").rstrip("/") == (run.path or "").rstrip("/")
        and bool(glue_run.replace_all_labels) == bool(run.replace_all_labels)
    )


def _not_started(run: Run, now: datetime, world: World) -> Run:
    if run.cancel_requested:
        return world.ledger.write(run, ended(run, Status.CANCELLED, now))
    if waited_too_long(run, now, world):
        return world.ledger.write(run, start_failed(run, now))
    reservation = world.ledger.write(run, reserved(run, world.clock(), world.policy.lease))
    try:
        return ask(reservation, world)
    except Postponed as later:
        # The doubt stays: a limit may have been reached by this very run. So it is looked up again before the next try, from
        # the doubtful start on.
        doubt = replace(unconfirmed(later.run, now), asked_on=run.asked_on, changed_on=run.changed_on)
        reason = RunError("AT_LIMIT" if later.at_limit else "NOT_STARTED", str(later))
        return world.ledger.write(reservation, replace(doubt, error=reason))
