"""Start once: reserve in the ledger, ask Glue one time, record the answer.

The one door for first tries, retries by the caller, and runs that waited. Whatever dies in between leaves an item in the ledger
from which the reconciler can tell what is to be done.
"""

import logging
from dataclasses import dataclass, replace

from core.check_label_file import checked
from core.errors import (
    ConcurrencyLimitReached,
    Conflict,
    IdempotencyKeyReused,
    LedgerUnavailable,
    NotStarted,
    QueueBlocked,
    QueueFull,
    QueueLimitReached,
    Refused,
    RequestInFlight,
    ResponseLost,
    StartPostponed,
    TryAgainLater,
)
from core.log_fields import log_fields
from core.ports import Dependencies
from core.requests import StartCommand, new_run
from core.runs import Run, RunError, Status, as_ended, as_queued, as_reserved, as_started, as_unconfirmed

_log = logging.getLogger(__name__)
_NOTHING_STARTED = "Glue cannot start the run at the moment. No run was started; send the same key again."
_ROUNDS = 5  # how often a race for the same key is looked at anew before the caller is asked to come back


@dataclass(frozen=True, slots=True)
class Accepted:
    """The run as it stands, and whether an earlier request with the same key had asked for it already."""

    run: Run
    replayed: bool


def start(order: StartCommand, deps: Dependencies) -> Accepted:
    """Start the task run that `order` asks for, unless that was done already.

    Three AWS calls when it is new, one when it is a replay.

    Raises InvalidRequest, IdempotencyKeyReused, RequestInFlight, QueueFull and TryAgainLater. After the last two, nothing is
    accepted and the same key may be sent again.
    """
    wanted = new_run(order, deps.clock(), deps.policy.allowed_for(order.caller))
    try:
        return _accepted(wanted, deps)
    except LedgerUnavailable as fault:
        raise TryAgainLater("The ledger is temporarily unavailable.") from fault


def _accepted(wanted: Run, deps: Dependencies) -> Accepted:
    existing = deps.ledger.get_if_recent(wanted.id)
    for _ in range(_ROUNDS):
        try:
            if existing is not None and (replay := _replay(existing, wanted, deps)) is not None:
                _tell("START_REPLAYED", replay)
                return Accepted(replay, replayed=True)
            return Accepted(_start_new(wanted, existing, deps), replayed=False)
        except Conflict as conflict:
            existing = conflict.current
    raise TryAgainLater("Too many requests with the same key at once.")


def ask(run: Run, deps: Dependencies) -> Run:
    """Ask Glue to start a reserved run, and record what it said.

    Raises StartPostponed with the reservation still standing: what becomes of it depends on who was promised what.
    """
    try:
        return _ask(checked(run, deps), deps)
    except NotStarted as reason:
        raise StartPostponed(run, reason) from reason
    except Refused as no:
        refusal = RunError(no.code, no.message)
        return _record(run, as_ended(run, Status.REFUSED, deps.clock(), refusal), "START_REFUSED", deps)


def _ask(run: Run, deps: Dependencies) -> Run:
    if deps.clock() - (run.start_attempted_on or run.requested_on) > deps.policy.start_within:
        # Somebody may already be looking this run up as lost: asking now could start it twice.
        return _record(run, as_unconfirmed(run, deps.clock()), "START_NOT_SENT_IN_TIME", deps)
    try:
        task_run_id = deps.glue.start(run)
    except (ConcurrencyLimitReached, NotStarted) as reason:
        raise StartPostponed(run, reason) from reason
    except ResponseLost:
        return _record(run, as_unconfirmed(run, deps.clock()), "START_UNCONFIRMED", deps)
    now = deps.clock()
    return _record(run, as_started(run, task_run_id, Status.STARTING, now, now), "STARTED", deps)


def _start_new(wanted: Run, existing: Run | None, deps: Dependencies) -> Run:
    now = deps.clock()
    fresh = replace(wanted, attempt=existing.attempt + 1 if existing else 1, requested_on=now)
    if fresh.export_to is not None:
        return _queue_new(fresh, existing, deps)  # the labels are exported first, by the reconciler
    try:
        reservation = deps.ledger.write(existing, as_reserved(fresh, now, deps.policy.lease))
    except QueueBlocked:
        return _queue_new(fresh, existing, deps)
    try:
        return ask(reservation, deps)
    except StartPostponed as later:
        if later.at_limit:
            return _queue_reserved(later.run, existing, deps)
        _give_back(reservation, existing, deps)
        _log.warning("NOT_STARTED", extra=log_fields(reservation, cause=str(later)))
        raise TryAgainLater(_NOTHING_STARTED) from later


def _queue_new(fresh: Run, existing: Run | None, deps: Dependencies) -> Run:
    """Put a request that cannot be started at once in line; its label file is checked now all the same."""
    try:
        ready = checked(fresh, deps)
    except Refused as no:
        refusal = as_ended(fresh, Status.REFUSED, deps.clock(), RunError(no.code, no.message))
        return deps.ledger.write(existing, refusal)
    except NotStarted as fault:
        raise TryAgainLater(_NOTHING_STARTED) from fault
    return _wait_in_line(existing, as_queued(ready, deps.clock()), deps)


def _replay(existing: Run, wanted: Run, deps: Dependencies) -> Run | None:
    """The answer that an earlier request gives to this one, or None if this one is a new attempt."""
    if not existing.has_same_payload_as(wanted):
        raise IdempotencyKeyReused("was sent before with another payload")
    if existing.status.allows_new_attempt and existing.causation_id != wanted.causation_id:
        return None
    if existing.status is not Status.RESERVED:
        return existing
    now = deps.clock()
    if existing.lease_until and now <= existing.lease_until:
        raise RequestInFlight("the first request with this key is still being processed")
    try:
        return deps.ledger.write(existing, as_unconfirmed(existing, now))
    except Conflict as conflict:
        if conflict.current is None:
            return None
        return _replay(conflict.current, wanted, deps)


def _wait_in_line(before: Run | None, waiting: Run, deps: Dependencies) -> Run:
    try:
        run = deps.ledger.write(before, waiting, max_waiting=deps.policy.max_queued)
    except QueueLimitReached as full:
        raise QueueFull("Glue is at its limit and the transform's queue is full") from full
    _tell("START_QUEUED", run)
    return run


def _queue_reserved(reservation: Run, existing: Run | None, deps: Dependencies) -> Run:
    try:
        return _wait_in_line(reservation, as_queued(reservation, deps.clock()), deps)
    except QueueFull:
        _give_back(reservation, existing, deps)
        raise
    except LedgerUnavailable:
        return _left_to_reconciler(reservation)
    except Conflict as conflict:
        return _changed_meanwhile(conflict, reservation, deps)


def _changed_meanwhile(conflict: Conflict, reservation: Run, deps: Dependencies) -> Run:
    """The run could not be queued, as somebody touched it: carry out a cancellation, leave all else to whoever it was."""
    current = conflict.current
    if current is None:
        raise conflict
    if current.cancel_requested and _awaits_this_answer(current, reservation):
        return _record(current, as_ended(current, Status.CANCELLED, deps.clock()), "START_CANCELLED", deps)
    return current


def _give_back(reservation: Run, existing: Run | None, deps: Dependencies) -> None:
    """Leave the ledger as if this request had never come; if that fails, the reconciler settles the reservation."""
    try:
        if existing is None:
            deps.ledger.delete(reservation)
        else:
            deps.ledger.write(reservation, existing)
    except (Conflict, LedgerUnavailable) as fault:
        _log.warning("RESERVATION_NOT_RELEASED", extra=log_fields(reservation, cause=type(fault).__name__))


def _record(before: Run, after: Run, code: str, deps: Dependencies) -> Run:
    """Write Glue's answer down. If the ledger does not take it, the reconciler finds the run in Glue: nothing is lost."""
    try:
        run = deps.ledger.write(before, after)
    except Conflict as conflict:
        current = conflict.current
        if current is None or not _awaits_this_answer(current, before):
            return current or after
        return _record(current, replace(after, cancel_requested=current.cancel_requested), code, deps)
    except LedgerUnavailable:
        return _left_to_reconciler(before)
    _tell(code, run)
    return run


def _awaits_this_answer(current: Run, before: Run) -> bool:
    """Whether only bystanders changed the item: a cancellation was noted, or a retry put the start in doubt."""
    return current.start_attempted_on == before.start_attempted_on and current.status in (Status.RESERVED, Status.UNCONFIRMED)


def _left_to_reconciler(reservation: Run) -> Run:
    """How a run looks to its caller while only its reservation is on record."""
    _tell("RESPONSE_NOT_RECORDED", reservation)
    return as_unconfirmed(reservation, reservation.start_attempted_on or reservation.requested_on)


def _tell(code: str, run: Run) -> None:
    _log.info(code, extra=log_fields(run))
