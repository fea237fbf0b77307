"""Why a run is queued, and at which place."""

from collections.abc import Sequence
from typing import NamedTuple

from core.ports import Dependencies
from core.runs import Run, Status, WaitingReason, as_waiting

_MESSAGES = {
    WaitingReason.GLUE_LIMIT: "Glue runs as many task runs as it allows; this one starts when one of them has ended.",
    WaitingReason.QUEUE: "Other runs of the transform were accepted before this one.",
    WaitingReason.OPEN_IMPORT: (
        "Imports, evaluations and exports of a transform run one at a time, and an earlier one is not finished."
    ),
    WaitingReason.EXPORT: "The existing labels are exported before they are replaced.",
    WaitingReason.FILE_UNREADABLE: "S3 cannot be reached, or throttles reading the label file; the reconciler tries again.",
    WaitingReason.GLUE_UNAVAILABLE: "Glue cannot be reached, or throttles requests; the reconciler tries again.",
}


class Waiting(NamedTuple):
    """`position` is 1 for the run that was accepted first; None if the run has just left the queue."""

    reason: WaitingReason
    position: int | None
    message: str


def record_reason(run: Run, reason: WaitingReason, deps: Dependencies) -> None:
    """Record why a queued run is still waiting, if that has changed. Raises Conflict, LedgerUnavailable."""
    if run.waiting_reason is not reason:
        deps.ledger.write(run, as_waiting(run, deps.clock(), reason))


def waiting(runs: Sequence[Run], deps: Dependencies) -> dict[str, Waiting]:
    """By id, why those of `runs` that are queued are waiting; reads each transform's queue once. Raises LedgerUnavailable."""
    queued = [run for run in runs if run.status is Status.QUEUED and run.transform_id is not None]
    queues = {transform_id: deps.ledger.queue(transform_id) for transform_id in {run.transform_id or "" for run in queued}}
    return {run.id: _waiting(run, queues[run.transform_id or ""]) for run in queued}


def _waiting(run: Run, queue: Sequence[str]) -> Waiting:
    reason = run.waiting_reason or WaitingReason.QUEUE
    position = queue.index(run.id) + 1 if run.id in queue else None
    return Waiting(reason, position, _MESSAGES[reason])
