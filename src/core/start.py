"""Start once: reserve in the ledger, ask Glue one time, record the answer.

The one door for first tries, retries by the caller, and runs that waited. Whatever dies in between leaves an item in the ledger
from which the reconciler can tell what is to be done.
"""

import logging
from dataclasses import dataclass, replace

from core.check_label_file import checked
from core.errors import (
    AnswerLost,
    AtLimit,
    Conflict,
    KeyReused,
    LedgerUnavailable,
    LineAhead,
    LineFull,
    NotStarted,
    Postponed,
    QueueFull,
    Refused,
    StillInFlight,
    TryAgainLater,
)
from core.log_fields import about
from core.ports import World
from core.requests import Order, new_run
from core.runs import Run, RunError, Status, ended, in_glue, queued, reserved, unconfirmed

_log = logging.getLogger(__name__)
_NOTHING_STARTED = "Glue cannot take the run just now: nothing was started, the same key may be sent again"
_ROUNDS = 5  # how often a race for the same key is looked at anew before the caller is asked to come back


@dataclass(frozen=True, slots=True)
class Accepted:
    """The run as it stands, and whether an earlier request with the same key had asked for it already."""

    run: Run
    replayed: bool


def start(order: Order, world: World) -> Accepted:
    """Start the task run that `order` asks for, unless that was done already.

    Three AWS calls when it is new, one when it is a replay. Raises InvalidRequest, KeyReused, StillInFlight, QueueFull and
    TryAgainLater; after the last two nothing is accepted and the same key may be sent again.
    """
    wanted = new_run(order, world.clock(), world.policy.allowed_for(order.caller))
    try:
        return _accepted(wanted, world)
    except LedgerUnavailable as fault:
        raise TryAgainLater("the ledger cannot be reached just now") from fault


def _accepted(wanted: Run, world: World) -> Accepted:
    existing = world.ledger.recall(wanted.id)
    for _ in range(_ROUNDS):
        try:
            if existing is not None and (replay := _replay(existing, wanted, world)) is not None:
                _tell("START_REPLAYED", replay)
                return Accepted(replay, replayed=True)
            return Accepted(_start_new(wanted, existing, world), replayed=False)
        except Conflict as conflict:
            existing = conflict.current
    raise TryAgainLater("many requests with the same key at once")


def ask(run: Run, world: World) -> Run:
    """Ask Glue to start a reserved run, and record what it said.

    Raises Postponed with the reservation still standing: what becomes of it depends on who was promised what.
    """
    try:
        return _ask(checked(run, world), world)
    except NotStarted as reason:
        raise Postponed(run, reason) from reason
    except Refused as no:
        refusal = RunError(no.code, no.message)
        return _record(run, ended(run, Status.REFUSED, world.clock(), refusal), "START_REFUSED", world)


def _ask(run: Run, world: World) -> Run:
    if world.clock() - (run.asked_on or run.requested_on) > world.policy.ask_within:
        # Somebody may already be looking this run up as lost: asking now could start it twice.
        return _record(run, unconfirmed(run, world.clock()), "START_TOO_SLOW", world)
    try:
        task_run_id = world.glue.start(run)
    except (AtLimit, NotStarted) as reason:
        raise Postponed(run, reason) from reason
    except AnswerLost:
        return _record(run, unconfirmed(run, world.clock()), "START_UNCONFIRMED", world)
    now = world.clock()
    return _record(run, in_glue(run, task_run_id, Status.STARTING, now, now), "STARTED", world)


def _start_new(wanted: Run, existing: Run | None, world: World) -> Run:
    now = world.clock()
    fresh = replace(wanted, attempt=existing.attempt + 1 if existing else 1, requested_on=now)
    if fresh.export_to is not None:
        return _queue_new(fresh, existing, world)  # the labels are exported first, by the reconciler
    try:
        reservation = world.ledger.write(existing, reserved(fresh, now, world.policy.lease))
    except LineAhead:
        return _queue_new(fresh, existing, world)
    try:
        return ask(reservation, world)
    except Postponed as later:
        if later.at_limit:
            return _queue_reserved(later.run, existing, world)
        _give_back(reservation, existing, world)
        _log.warning("NOT_STARTED", extra=about(reservation, cause=str(later)))
        raise TryAgainLater(_NOTHING_STARTED) from later


def _queue_new(fresh: Run, existing: Run | None, world: World) -> Run:
    """Put a request that cannot be started at once in line; its label file is checked now all the same."""
    try:
        ready = checked(fresh, world)
    except Refused as no:
        refusal = ended(fresh, Status.REFUSED, world.clock(), RunError(no.code, no.message))
        return world.ledger.write(existing, refusal)
    except NotStarted as fault:
        raise TryAgainLater(_NOTHING_STARTED) from fault
    return _wait_in_line(existing, queued(ready, world.clock()), world)


def _replay(existing: Run, wanted: Run, world: World) -> Run | None:
    """The answer that an earlier request gives to this one, or None if this one is a new attempt."""
    if not existing.asks_the_same_as(wanted):
        raise KeyReused("this idempotency key was sent before with another payload")
    if existing.status.may_be_sent_again and existing.causation_id != wanted.causation_id:
        return None
    if existing.status is not Status.RESERVED:
        return existing
    now = world.clock()
    if existing.lease_until and now <= existing.lease_until:
        raise StillInFlight("the first request with this key is still being worked on")
    try:
        return world.ledger.write(existing, unconfirmed(existing, now))
    except Conflict as conflict:
        if conflict.current is None:
            return None
        return _replay(conflict.current, wanted, world)


def _wait_in_line(before: Run | None, waiting: Run, world: World) -> Run:
    try:
        run = world.ledger.write(before, waiting, max_waiting=world.policy.max_queued)
    except LineFull as full:
        raise QueueFull("Glue is at its limit and the transform's queue is full") from full
    _tell("START_QUEUED", run)
    return run


def _queue_reserved(reservation: Run, existing: Run | None, world: World) -> Run:
    try:
        return _wait_in_line(reservation, queued(reservation, world.clock()), world)
    except QueueFull:
        _give_back(reservation, existing, world)
        raise
    except LedgerUnavailable:
        return _left_to_reconciler(reservation)
    except Conflict as conflict:
        return _changed_meanwhile(conflict, reservation, world)


def _changed_meanwhile(conflict: Conflict, reservation: Run, world: World) -> Run:
    """The run could not be queued, as somebody touched it: carry out a cancellation, leave all else to whoever it was."""
    current = conflict.current
    if current is None:
        raise conflict
    if current.cancel_requested and _awaits_this_answer(current, reservation):
        return _record(current, ended(current, Status.CANCELLED, world.clock()), "START_CANCELLED", world)
    return current


def _give_back(reservation: Run, existing: Run | None, world: World) -> None:
    """Leave the ledger as if this request had never come; if that fails, the reconciler settles the reservation."""
    try:
        if existing is None:
            world.ledger.erase(reservation)
        else:
            world.ledger.write(reservation, existing)
    except (Conflict, LedgerUnavailable) as fault:
        _log.warning("RESERVATION_LEFT", extra=about(reservation, cause=type(fault).__name__))


def _record(before: Run, after: Run, code: str, world: World) -> Run:
    """Write Glue's answer down. If the ledger does not take it, the reconciler finds the run in Glue: nothing is lost."""
    try:
        run = world.ledger.write(before, after)
    except Conflict as conflict:
        current = conflict.current
        if current is None or not _awaits_this_answer(current, before):
            return current or after
        return _record(current, replace(after, cancel_requested=current.cancel_requested), code, world)
    except LedgerUnavailable:
        return _left_to_reconciler(before)
    _tell(code, run)
    return run


def _awaits_this_answer(current: Run, before: Run) -> bool:
    """Whether only bystanders changed the item: a cancellation was noted, or a retry put the start in doubt."""
    return current.asked_on == before.asked_on and current.status in (Status.RESERVED, Status.UNCONFIRMED)


def _left_to_reconciler(reservation: Run) -> Run:
    """How a run looks to its caller while only its reservation is on record."""
    _tell("ANSWER_NOT_RECORDED", reservation)
    return unconfirmed(reservation, reservation.asked_on or reservation.requested_on)


def _tell(code: str, run: Run) -> None:
    _log.info(code, extra=about(run))
