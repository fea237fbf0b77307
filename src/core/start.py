"""Start a task run once per idempotency key: reserve it in the ledger, start it in Glue, record the outcome.

If the process dies on the way, the ledger's item tells the reconciler how to go on.
"""

import logging
from dataclasses import replace
from typing import NamedTuple

from core.check_label_file import check_label_file
from core.errors import (
    CommandTooOld,
    Conflict,
    IdempotencyKeyReused,
    InvalidRequest,
    LedgerUnavailable,
    NotStarted,
    QueueBlocked,
    QueueFull,
    QueueLimitReached,
    Refused,
    RequestInFlight,
    StartPostponed,
    TryAgainLater,
)
from core.log_fields import log_fields
from core.ports import Dependencies
from core.requests import StartCommand, check_command, new_run
from core.runs import Run, RunError, Status, WaitingReason, as_ended, as_queued, as_reserved, as_unconfirmed
from core.start_in_glue import is_same_start, left_to_reconciler, record_outcome, start_in_glue

_log = logging.getLogger(__name__)
_NOTHING_STARTED = "Glue cannot start the run at the moment. No run was started; send the same key again."
_MAX_ATTEMPTS = 5  # at a key that others use at the same time


class Accepted(NamedTuple):
    """The current state of the run; `replayed` tells whether an earlier request with the same key had requested it."""

    run: Run
    replayed: bool


def start(command: StartCommand, deps: Dependencies) -> Accepted:
    """Start the task run that `command` requests, unless an earlier request with the same key did so.

    Makes three AWS calls for a new request, one for a replay. Settings decide about new requests only, never about replays.

    Raises InvalidRequest, CommandTooOld, IdempotencyKeyReused, RequestInFlight, QueueFull and TryAgainLater. After the last
    two, nothing is accepted and the same key may be sent again.
    """
    now = deps.clock()
    requested = new_run(command, now)
    invalid: InvalidRequest | CommandTooOld | None = None
    try:
        check_command(command, now, deps.policy)
    except (InvalidRequest, CommandTooOld) as error:
        invalid = error
    try:
        if invalid is not None:
            return _replay_only(requested, command, invalid, deps)
        return _replay_or_start(requested, command, deps)
    except LedgerUnavailable as error:
        raise TryAgainLater("The ledger is temporarily unavailable.") from error


def _replay_only(
    requested: Run, command: StartCommand, invalid: InvalidRequest | CommandTooOld, deps: Dependencies
) -> Accepted:
    """The replay of a request that was valid when it was first sent; raises `invalid` if there was none."""
    existing = deps.ledger.get(requested.id)
    replay = None if existing is None else _replay(existing, requested, command, deps)
    if replay is None:
        raise invalid
    _log.info("START_REPLAYED", extra=log_fields(replay))
    return Accepted(replay, replayed=True)


def _replay_or_start(requested: Run, command: StartCommand, deps: Dependencies) -> Accepted:
    existing = deps.ledger.get_if_recent(requested.id)
    for _ in range(_MAX_ATTEMPTS):
        try:
            if existing is not None and (replay := _replay(existing, requested, command, deps)) is not None:
                _log.info("START_REPLAYED", extra=log_fields(replay))
                return Accepted(replay, replayed=True)
            return Accepted(_start_new(requested, existing, deps), replayed=False)
        except Conflict as conflict:
            existing = conflict.current
    raise TryAgainLater("Too many requests with the same key at once.")


def _replay(existing: Run, requested: Run, command: StartCommand, deps: Dependencies) -> Run | None:
    """The response to a repeated request, or None if the request is a new attempt."""
    if not existing.has_same_payload_as(requested):
        raise IdempotencyKeyReused("was sent before with another payload")
    is_redelivered = command.may_be_redelivered and existing.causation_id == command.causation_id
    if existing.status.allows_new_attempt and not is_redelivered:
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
        return _replay(conflict.current, requested, command, deps)


def _start_new(requested: Run, existing: Run | None, deps: Dependencies) -> Run:
    """Start the first attempt of a request, or the next one after `existing`."""
    now = deps.clock()
    run = replace(requested, attempt=existing.attempt + 1 if existing else 1, requested_on=now)
    if run.export_to is not None:
        return _queue_new(run, existing, deps)  # the reconciler exports the labels first
    try:
        reservation = deps.ledger.write(existing, as_reserved(run, now, deps.policy.lease))
    except QueueBlocked:
        return _queue_new(run, existing, deps)
    try:
        return start_in_glue(reservation, deps)
    except StartPostponed as postponed:
        if postponed.at_limit:
            return _queue_reserved(postponed.run, existing, deps)
        _release(reservation, existing, deps)
        _log.warning("NOT_STARTED", extra=log_fields(reservation, cause=str(postponed)))
        raise TryAgainLater(_NOTHING_STARTED) from postponed


def _queue_new(run: Run, existing: Run | None, deps: Dependencies) -> Run:
    """Queue a request that cannot start at once. Its label file is checked now, so that the caller gets the result."""
    try:
        checked_run = check_label_file(run, deps)
    except Refused as refusal:
        error = RunError(refusal.code, refusal.message)
        refused = deps.ledger.write(existing, as_ended(run, Status.REFUSED, deps.clock(), error))
        _log.info("START_REFUSED", extra=log_fields(refused))
        return refused
    except NotStarted as error:
        raise TryAgainLater(_NOTHING_STARTED) from error
    return _queue(existing, checked_run, _reason_to_queue(run, deps), deps)


def _reason_to_queue(run: Run, deps: Dependencies) -> WaitingReason:
    """Why a new run cannot start at once. The reconciler corrects it when the run is the next one."""
    if not run.task_type.is_exclusive or deps.ledger.queue(run.transform_id or ""):
        return WaitingReason.QUEUE
    return WaitingReason.OPEN_IMPORT if run.export_to is None else WaitingReason.EXPORT


def _queue_reserved(reservation: Run, existing: Run | None, deps: Dependencies) -> Run:
    """Queue a reserved run that Glue had no room for."""
    try:
        return _queue(reservation, reservation, WaitingReason.GLUE_LIMIT, deps)
    except QueueFull:
        _release(reservation, existing, deps)
        raise
    except LedgerUnavailable:
        return left_to_reconciler(reservation)
    except Conflict as conflict:
        return _resolve_conflict(conflict, reservation, deps)


def _queue(before: Run | None, run: Run, reason: WaitingReason, deps: Dependencies) -> Run:
    try:
        queued = deps.ledger.write(before, as_queued(run, deps.clock(), reason), max_queued=deps.policy.max_queued)
    except QueueLimitReached as error:
        raise QueueFull("Glue is at its limit and the transform's queue is full") from error
    _log.info("START_QUEUED", extra=log_fields(queued))
    return queued


def _resolve_conflict(conflict: Conflict, reservation: Run, deps: Dependencies) -> Run:
    """Another writer changed the run before it could be queued: end it if that was a cancellation, else leave it as it is."""
    current = conflict.current
    if current is None:
        raise conflict
    if current.cancel_requested and is_same_start(current, reservation):
        return record_outcome(current, as_ended(current, Status.CANCELLED, deps.clock()), "START_CANCELLED", deps)
    return current


def _release(reservation: Run, existing: Run | None, deps: Dependencies) -> None:
    """Restore the ledger's item as it was before this request; if that fails, the reconciler settles the reservation."""
    try:
        if existing is None:
            deps.ledger.delete(reservation)
        else:
            deps.ledger.write(reservation, existing)
    except (Conflict, LedgerUnavailable) as error:
        _log.warning("RESERVATION_NOT_RELEASED", extra=log_fields(reservation, cause=type(error).__name__))
