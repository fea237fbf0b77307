"""Record how a run is doing in Glue."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from core.errors import Conflict, NotFoundInGlue, Refused
from core.evaluation import with_metrics
from core.open_runs import OpenRun
from core.ports import Dependencies, GlueRun
from core.runs import IN_GLUE, Progress, Run, RunError, Status, TaskType, as_ended

_ORDER = (Status.STARTING, Status.RUNNING, Status.STOPPING)


def read_run(open_run: OpenRun, deps: Dependencies) -> Run:
    """Read the whole run from the ledger. Raises Conflict if it has changed since, LedgerUnavailable."""
    run = deps.ledger.get(open_run.id)
    if run is None or run.revision != open_run.revision:
        raise Conflict(run)
    return run


def track_open_run(open_run: OpenRun, glue_runs_by_tag: Mapping[str, GlueRun], now: datetime, deps: Dependencies) -> Run | None:
    """Record the status of a run in Glue without reading the run first if possible; None if it has not changed.

    `glue_runs_by_tag` are the transform's task runs. Raises Conflict, GlueUnavailable, LedgerUnavailable.
    """
    glue_run = glue_runs_by_tag.get(open_run.task_tag or "")
    if glue_run is None and now - (open_run.search_from or open_run.requested_on) >= deps.policy.confirm_after:
        return _if_changed(open_run, _record_unlisted_run(read_run(open_run, deps), now, deps))
    if glue_run is None or not _is_news(glue_run.status, open_run.status):
        return None
    if open_run.task_type.is_exclusive and glue_run.status.is_terminal:
        return _if_changed(open_run, record_glue_run(read_run(open_run, deps), glue_run, now, deps))
    return deps.ledger.record_progress(open_run, progress_of(glue_run, now))


def track_run(run: Run, glue_runs: Sequence[GlueRun], now: datetime, deps: Dependencies) -> Run:
    """Record the status of a run in Glue, and cancel it there if that was requested before its id was known.

    `glue_runs` are the transform's task runs. Raises Conflict, GlueUnavailable, LedgerUnavailable.
    """
    glue_run = next((glue_run for glue_run in glue_runs if glue_run.task_run_id == run.task_run_id), None)
    if glue_run is None:
        return _record_unlisted_run(run, now, deps)
    return record_glue_run(run, glue_run, now, deps)


def record_glue_run(run: Run, glue_run: GlueRun, now: datetime, deps: Dependencies) -> Run:
    """Record `glue_run` as the task run of `run`, if anything changes by it.

    An evaluation that has succeeded counts as running until its metrics are read.
    """
    after = progress_of(glue_run, now).apply_to(run)
    if run.cancel_requested and after.status in (Status.STARTING, Status.RUNNING):
        after = replace(after, status=_cancel_in_glue(glue_run, run, deps))
    if run.task_type is TaskType.EVALUATION and after.status is Status.SUCCEEDED:
        running = replace(after, status=Status.RUNNING, completed_on=None, execution_time=None)
        after = with_metrics(after, glue_run, deps) or running
    if after.task_run_id == run.task_run_id and not _is_news(after.status, run.status):
        return run
    return deps.ledger.write(run, after)


def _is_news(status: Status, recorded: Status) -> bool:
    """Whether `status` is not older than the one `recorded`.

    A run never goes back from RUNNING or STOPPING. An earlier status comes from an old listing; STARTING also stands for a
    status of Glue's that we do not know.
    """
    if status not in IN_GLUE or recorded not in IN_GLUE:
        return status is not recorded
    return _ORDER.index(status) > _ORDER.index(recorded)


def progress_of(glue_run: GlueRun, now: datetime) -> Progress:
    """What the ledger records of a task run. A failure always gets a reason."""
    is_terminal = glue_run.status.is_terminal
    is_failure = glue_run.status in (Status.FAILED, Status.TIMEOUT)
    return Progress(
        status=glue_run.status,
        task_run_id=glue_run.task_run_id,
        started_on=glue_run.started_on,
        completed_on=(glue_run.completed_on or now) if is_terminal else None,
        execution_time=glue_run.execution_time if is_terminal else None,
        error=RunError(f"GLUE_{glue_run.status}", glue_run.error or "Glue gave no reason") if is_failure else None,
        changed_on=now,
    )


def _if_changed(open_run: OpenRun, after: Run) -> Run | None:
    return after if after.revision != open_run.revision else None


def _record_unlisted_run(run: Run, now: datetime, deps: Dependencies) -> Run:
    if now - (run.start_attempted_on or run.requested_on) < deps.policy.confirm_after:
        return run  # Glue may list a new run with a delay
    try:
        glue_run = deps.glue.get_task_run(run.transform_id or "", run.task_run_id or "")
    except NotFoundInGlue:
        error = RunError("UNKNOWN_TO_GLUE", "Glue no longer knows the task run or its transform")
        return deps.ledger.write(run, as_ended(run, Status.LOST, now, error))
    return record_glue_run(run, glue_run, now, deps)


def _cancel_in_glue(glue_run: GlueRun, run: Run, deps: Dependencies) -> Status:
    try:
        return deps.glue.cancel(run.transform_id or "", glue_run.task_run_id)
    except (NotFoundInGlue, Refused):
        return glue_run.status  # it has just ended: the next round records the result
