"""The queue of a transform: which runs are waiting, and which exclusive run is open.

Glue runs a limited number of task runs of a transform at a time. Imports, evaluations and exports are exclusive: they must
reach it one at a time and in the order in which they were accepted. Otherwise a late `replaceAllLabels` would remove labels
that were imported after it, an evaluation or export would miss labels or see later ones, and of two evaluations nobody could
tell which is which. One ledger item per transform holds both facts. It is written in the same transaction as the run.
"""

from typing import NamedTuple

from core.runs import Run, Status, TaskType


class QueueMove(NamedTuple):
    """What a change of a run requires of its transform's queue, and does to it."""

    requires_empty_queue: bool
    requires_head_of_queue: bool
    joins_at_head: bool
    joins_at_tail: bool
    leaves: bool
    opens_exclusive: bool
    closes_exclusive: bool

    @property
    def joins(self) -> bool:
        return self.joins_at_head or self.joins_at_tail

    @property
    def reads_queue(self) -> bool:
        """Whether the queue must be read first, and be unchanged when the move is written."""
        return self.leaves or self.requires_head_of_queue


def queue_move(before: Run | None, after: Run | None) -> QueueMove:
    """The move that goes with the change from `before` to `after`; None stands for no item."""
    is_new = before is None or before.status.is_terminal
    is_reserved = after is not None and after.status is Status.RESERVED
    opens_exclusive = _is_open_exclusive(after) and not _is_open_exclusive(before)
    return QueueMove(
        requires_empty_queue=is_new and is_reserved,
        requires_head_of_queue=_is_queued(before) and (is_reserved or opens_exclusive),
        # A reserved run was accepted, or was at the head, before any run that is in the queue now.
        joins_at_head=_is_queued(after) and not _is_queued(before) and not is_new,
        joins_at_tail=_is_queued(after) and not _is_queued(before) and is_new,
        leaves=_is_queued(before) and not _is_queued(after),
        opens_exclusive=opens_exclusive,
        closes_exclusive=_is_open_exclusive(before) and not _is_open_exclusive(after),
    )


def queue_key(run: Run) -> str:
    """The run's entry in the queue.

    The order of acceptance is that of the queue item's list, not that of the times in its entries: hosts' clocks differ.
    """
    return f"{run.requested_on.isoformat(timespec='microseconds')}/{run.task_type}/{run.id}"


def is_next(run: Run, queue: tuple[str, ...]) -> bool:
    """Whether `run` is the first in `queue` of the runs that it must not pass."""
    same_order = (entry for entry in queue if _task_type(entry).is_exclusive is run.task_type.is_exclusive)
    return queue_key(run) == next(same_order, None)


def queued_run_id(entry: str) -> str:
    """The id of the run that an entry of the queue stands for."""
    return entry.rpartition("/")[2]


def _task_type(entry: str) -> TaskType:
    return TaskType(entry.split("/")[1])


def _is_queued(run: Run | None) -> bool:
    return run is not None and run.status is Status.QUEUED


def _is_open_exclusive(run: Run | None) -> bool:
    """Whether other exclusive runs must wait for this one: it, or the export before it, may be running in Glue."""
    if run is None or not run.task_type.is_exclusive or run.status.is_terminal:
        return False
    return not _is_queued(run) or run.export_attempted_on is not None
