"""The line in front of a transform: who waits, and which import is open.

Glue runs three task runs of a transform at a time, and imports must reach it one at a time, in the order in which they were
accepted, or a late `replaceAllLabels` would erase labels that came after it. Both rules live in one small ledger item per
transform, changed in the same transaction as the run that it is about.
"""

from dataclasses import dataclass

from core.runs import Run, Status


@dataclass(frozen=True, slots=True)
class QueueMove:
    """What a change of a run does to its transform's line."""

    requires_empty_queue: bool
    requires_head_of_queue: bool
    joins: bool
    leaves: bool
    opens_import: bool
    closes_import: bool

    @property
    def is_none(self) -> bool:
        return not (self.requires_empty_queue or self.joins or self.leaves or self.opens_import or self.closes_import)

    @property
    def reads_queue(self) -> bool:
        """Whether the line has to be read first, and to be still the same when the move is made."""
        return self.leaves or self.requires_head_of_queue


def queue_move(before: Run | None, after: Run | None) -> QueueMove:
    """The move that takes the ledger from `before` to `after`; None stands for no item."""
    is_new = before is None or before.status.is_terminal
    is_reserved = after is not None and after.status is Status.RESERVED
    opens_import = _holds_import(after) and not _holds_import(before)
    return QueueMove(
        requires_empty_queue=is_new and is_reserved,
        requires_head_of_queue=_waits(before) and (is_reserved or opens_import),
        joins=_waits(after) and not _waits(before),
        leaves=_waits(before) and not _waits(after),
        opens_import=opens_import,
        closes_import=_holds_import(before) and not _holds_import(after),
    )


def queue_key(run: Run) -> str:
    """The run's entry in the line; entries sort in the order of acceptance."""
    return f"{run.requested_on.isoformat(timespec='microseconds')}/{run.task_type}/{run.id}"


def is_next(run: Run, waiting: tuple[str, ...]) -> bool:
    """Whether nobody of the same kind waits longer."""
    same_kind = [entry for entry in waiting if f"/{run.task_type}/" in entry]
    return queue_key(run) == min(same_kind, default=None)


def _waits(run: Run | None) -> bool:
    return run is not None and run.status is Status.QUEUED


def _holds_import(run: Run | None) -> bool:
    """Whether no other import may come in between: this one is in Glue's hands, or its export is."""
    if run is None or not run.is_import or run.status.is_terminal:
        return False
    return not _waits(run) or run.export_attempted_on is not None
