"""A run that has not ended, as the index of open runs holds it: a few fields only, as there may be 100,000 of them."""

from datetime import datetime
from hashlib import sha256
from typing import NamedTuple

from core.runs import IN_GLUE, Run, Status, TaskType

# Each shard of the index is a partition of its own: one takes 1,000 writes a second, and a run makes four. The number is part
# of every stored item, and fixed: docs/decisions/ledger-shards.md.
SHARDS = tuple("0123456789abcdef")


class OpenRun(NamedTuple):
    """What the reconciler needs to see whether a run has changed in Glue.

    The index is eventually consistent, so every write is conditional on `revision`.
    `shard` is the part of the index that has the run: that of its transform, but "0" for runs from before there were shards.
    `search_from` is when Glue may first have started a task run for it, its export included; None if no start was attempted.
    `task_tag` stands for Glue's id of the task run if only its status is left to record. A run without a tag must be read from
    the ledger first.
    """

    id: str
    transform_id: str
    task_type: TaskType
    requested_on: datetime
    status: Status
    revision: str
    search_from: datetime | None
    task_tag: str | None
    shard: str


class Place(NamedTuple):
    """A transform in the index of open runs: where a round begins, or goes on."""

    shard: str
    transform_id: str


class Checkpoint(NamedTuple):
    """How far a round got: the next one begins at `place`. Until `held_until`, if any, the round is still running."""

    place: Place
    held_until: datetime | None


def open_run(run: Run) -> OpenRun:
    """The index's entry for `run`."""
    return OpenRun(
        id=run.id,
        transform_id=run.transform_id or "",
        task_type=run.task_type,
        requested_on=run.requested_on,
        status=run.status,
        revision=run.revision,
        search_from=run.start_attempted_on or run.export_attempted_on,
        task_tag=task_tag(run.task_run_id) if run.task_run_id and _needs_status_only(run) else None,
        shard=shard_of(run.transform_id or ""),
    )


def shard_of(transform_id: str) -> str:
    """The shard that all open runs of the transform are in."""
    return sha256(transform_id.encode()).hexdigest()[0]


def task_tag(task_run_id: str) -> str:
    """64 bits of a hash, in hexadecimal: shorter than Glue's id, and unique among the task runs of a transform."""
    return sha256(task_run_id.encode()).hexdigest()[:16]


def _needs_status_only(run: Run) -> bool:
    return run.status in IN_GLUE and not run.cancel_requested
