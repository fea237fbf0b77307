"""The line's item, as the part that it plays in a transaction."""

from typing import Any

from core.runs import Run
from core.transform_queue import QueueMove, queue_key

Operation = dict[str, dict[str, Any]]

_NOBODY_WAITS = "(attribute_not_exists(waiting) OR size(waiting) = :zero)"
_ROOM = "(attribute_not_exists(waiting) OR size(waiting) < :most)"
_NO_ROOM = "(attribute_exists(waiting) AND size(waiting) < :most)"  # a line of no places has none before its first, either
_NO_IMPORT = "attribute_not_exists(importing)"
_MY_IMPORT = "(attribute_not_exists(importing) OR importing = :id)"


def queue_item_key(transform_id: str | None) -> dict[str, dict[str, str]]:
    return {"id": {"S": f"line#{transform_id}"}}


def queue_operation(
    table: str, run: Run, move: QueueMove, waiting: tuple[str, ...] | None, max_queued: int | None
) -> Operation | None:
    """What `move` does to the line of `run`, as one of a transaction's operations; None if it does nothing.

    `waiting` is the line as it was read, and has to be given where `move.reads_queue`.
    """
    if waiting is not None and queue_key(run) not in waiting:
        waiting = None  # the line was lost with its item: there is nothing left to leave
    sets, removes, conditions, values = _parts(run, move, waiting, max_queued)
    if not (sets or removes or conditions):
        return None
    common: dict[str, Any] = {"TableName": table, "Key": queue_item_key(run.transform_id)}
    if conditions:
        common["ConditionExpression"] = " AND ".join(conditions)
    used = {name: value for name, value in values.items() if name in " ".join([*sets, *conditions])}
    if used:
        common["ExpressionAttributeValues"] = used
    if not (sets or removes):
        return {"ConditionCheck": common}
    clauses = [f"SET {', '.join(sets)}" if sets else "", f"REMOVE {', '.join(removes)}" if removes else ""]
    return {"Update": common | {"UpdateExpression": " ".join(filter(None, clauses))}}


def _parts(
    run: Run, move: QueueMove, waiting: tuple[str, ...] | None, max_queued: int | None
) -> tuple[list[str], list[str], list[str], dict[str, dict[str, Any]]]:
    sets: list[str] = []
    removes: list[str] = []
    conditions: list[str] = []
    values: dict[str, dict[str, Any]] = {
        ":zero": {"N": "0"},
        ":id": {"S": run.id},
        ":none": {"L": []},
        ":me": {"L": [{"S": queue_key(run)}]},
        ":most": {"N": str(max_queued)},
    }
    if move.requires_empty_queue:
        conditions.append(_NOBODY_WAITS)
    if move.joins_at_head:
        sets.append("waiting = list_append(:me, if_not_exists(waiting, :none))")
    if move.joins_at_tail:
        sets.append("waiting = list_append(if_not_exists(waiting, :none), :me)")
    if move.joins and max_queued is not None:
        conditions.append(_ROOM if max_queued else _NO_ROOM)
    if waiting is not None:
        values[":seen"] = {"L": [{"S": entry} for entry in waiting]}
        conditions.append("waiting = :seen")
    if move.leaves and waiting is not None:
        values[":rest"] = {"L": [{"S": entry} for entry in waiting if entry != queue_key(run)]}
        sets.append("waiting = :rest")
    if move.opens_import:
        sets.append("importing = :id")
        conditions.append(_NO_IMPORT)
    if move.closes_import:
        removes.append("importing")
        conditions.append(_MY_IMPORT)
    return sets, removes, conditions, values
