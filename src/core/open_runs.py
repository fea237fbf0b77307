"""A run that has not ended, as the reconciler's index tells it: little of it, as there may be a hundred thousand."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from core.runs import IN_GLUE, Run, Status, TaskType


@dataclass(frozen=True, slots=True)
class OpenRun:
    """What has to be known of a run to see whether it got on; it may lag behind the run by moments, so `revision` fences it.

    `search_from` is since when Glue may list a task run of it, its export included; None while Glue was not asked for any.
    `task_tag` stands for Glue's id of the task run while nothing is left to do but to follow it; of a run without one, the
    whole has to be read.
    """

    id: str
    transform_id: str
    task_type: TaskType
    requested_on: datetime
    status: Status
    revision: str
    search_from: datetime | None
    task_tag: str | None


def open_run(run: Run) -> OpenRun:
    """What the index tells of `run`, once it has caught up."""
    return OpenRun(
        id=run.id,
        transform_id=run.transform_id or "",
        task_type=run.task_type,
        requested_on=run.requested_on,
        status=run.status,
        revision=run.revision,
        search_from=run.start_attempted_on or run.export_attempted_on,
        task_tag=task_tag(run.task_run_id) if run.task_run_id and _is_only_followed(run) else None,
    )


def task_tag(task_run_id: str) -> str:
    """64 bits that stand for Glue's id of a task run, which may be long, among those of its transform."""
    return sha256(task_run_id.encode()).hexdigest()[:16]


def _is_only_followed(run: Run) -> bool:
    return run.status in IN_GLUE and not run.cancel_requested
