"""The ledger item of a transform's queue, and its part in a transaction.

`waiting` is the list of queued runs by `core.transform_queue.queue_key`, `importing` the id of the open exclusive run. An item
that nobody needs any more expires, or each made-up transform id would leave one for ever.
"""

from datetime import timedelta
from typing import Any

from core.runs import Run
from core.transform_queue import QueueMove, queue_key

Operation = dict[str, dict[str, Any]]

_KEY_PREFIX = "line#"  # stored in deployed ledgers, like the names of the attributes
_IS_EMPTY = "(attribute_not_exists(waiting) OR size(waiting) = :zero)"
_HAS_ROOM = "(attribute_not_exists(waiting) OR size(waiting) < :max)"
MAX_ENTRIES = 4_000  # of 90 bytes: an item has at most 400 KB, and runs that return to the head need room too
_HAS_NO_ROOM = "(attribute_exists(waiting) AND size(waiting) < :max)"  # never true: a limit of 0 holds for the first run too
# From the last run that left the queue or closed it, unless another one joins or opens it. That must be longer than a run can
# wait or be open in Glue, since one that closes the queue does not know whether others wait in it. If an item expires under a
# waiting run all the same, the run only loses its place.
_KEPT_FOR = timedelta(days=90)
_NO_OPEN_EXCLUSIVE = "attribute_not_exists(importing)"
_NO_OTHER_OPEN_EXCLUSIVE = "(attribute_not_exists(importing) OR importing = :id)"


def queue_item_key(transform_id: str | None) -> dict[str, dict[str, str]]:
    return {"id": {"S": f"{_KEY_PREFIX}{transform_id}"}}


def queue_operation(
    table: str, run: Run, move: QueueMove, queue: tuple[str, ...] | None, max_queued: int | None
) -> Operation | None:
    """The operation of a transaction that makes `move` on the queue of `run`; None if there is nothing to do.

    `queue` is the queue as it was read; it is required if `move.reads_queue`. `max_queued` limits how many runs may be queued.
    """
    if queue is not None and queue_key(run) not in queue:
        queue = None  # the queue's item was deleted: there is no entry to remove
    sets, removes, conditions, values = _expressions(run, move, queue, max_queued)
    if move.joins or move.opens_exclusive:
        removes.append("expiresAt")
    elif sets or removes:
        sets.append("expiresAt = :expiry")
    if not (sets or removes or conditions):
        return None
    operation: dict[str, Any] = {"TableName": table, "Key": queue_item_key(run.transform_id)}
    if conditions:
        operation["ConditionExpression"] = " AND ".join(conditions)
    used_values = {name: value for name, value in values.items() if name in " ".join([*sets, *conditions])}
    if used_values:
        operation["ExpressionAttributeValues"] = used_values
    if not (sets or removes):
        return {"ConditionCheck": operation}
    clauses = [f"SET {', '.join(sets)}" if sets else "", f"REMOVE {', '.join(removes)}" if removes else ""]
    return {"Update": operation | {"UpdateExpression": " ".join(filter(None, clauses))}}


def _expressions(
    run: Run, move: QueueMove, queue: tuple[str, ...] | None, max_queued: int | None
) -> tuple[list[str], list[str], list[str], dict[str, dict[str, Any]]]:
    """The parts of SET, of REMOVE, of the condition, and the values that they may use."""
    sets: list[str] = []
    removes: list[str] = []
    conditions: list[str] = []
    values: dict[str, dict[str, Any]] = {
        ":zero": {"N": "0"},
        ":id": {"S": run.id},
        ":none": {"L": []},
        ":entry": {"L": [{"S": queue_key(run)}]},
        ":max": {"N": str(min(max_queued or 0, MAX_ENTRIES))},
        ":expiry": {"N": str(int(((run.changed_on or run.requested_on) + _KEPT_FOR).timestamp()))},
    }
    if move.requires_empty_queue:
        conditions.append(_IS_EMPTY)
    if move.joins_at_head:
        sets.append("waiting = list_append(:entry, if_not_exists(waiting, :none))")
    if move.joins_at_tail:
        sets.append("waiting = list_append(if_not_exists(waiting, :none), :entry)")
    if move.joins and max_queued is not None:
        conditions.append(_HAS_ROOM if max_queued else _HAS_NO_ROOM)
    if queue is not None:
        values[":queue"] = {"L": [{"S": entry} for entry in queue]}
        conditions.append("waiting = :queue")
    if move.leaves and queue is not None:
        values[":rest"] = {"L": [{"S": entry} for entry in queue if entry != queue_key(run)]}
        sets.append("waiting = :rest")
    if move.opens_exclusive:
        sets.append("importing = :id")
        conditions.append(_NO_OPEN_EXCLUSIVE)
    if move.closes_exclusive:
        removes.append("importing")
        conditions.append(_NO_OTHER_OPEN_EXCLUSIVE)
    return sets, removes, conditions, values
