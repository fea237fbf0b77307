"""Bring a run that Glue has up to date with what Glue says of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from core.errors import Conflict, NotFoundInGlue, Refused
from core.open_runs import OpenRun
from core.ports import Dependencies, GlueRun
from core.runs import Progress, Run, RunError, Status, TaskType, as_ended


def whole(run: OpenRun, deps: Dependencies) -> Run:
    """The run that `run` tells of. Raises Conflict if it is another by now, LedgerUnavailable."""
    current = deps.ledger.get(run.id)
    if current is None or current.revision != run.revision:
        raise Conflict(current)
    return current


def track_open_run(run: OpenRun, listed: Mapping[str, GlueRun], now: datetime, deps: Dependencies) -> Run | None:
    """Record the status in Glue of a run that is under way there; None if that is no news.

    `listed` is the transform's listing, by tag. Raises Conflict, GlueUnavailable, LedgerUnavailable.
    """
    found = listed.get(run.task_tag or "")
    if found is None and now - (run.search_from or run.requested_on) >= deps.policy.confirm_after:
        return _if_changed(run, _not_listed(whole(run, deps), now, deps))
    if found is None or found.status is run.status:
        return None
    if run.task_type is TaskType.IMPORT_LABELS and found.status.is_terminal:
        return _if_changed(run, record_glue_run(whole(run, deps), found, now, deps))
    return deps.ledger.record_progress(run, progress(found, now))


def follow(run: Run, seen: Sequence[GlueRun], now: datetime, deps: Dependencies) -> Run:
    """Record the run's status in Glue, and cancel it there if that was asked for before it was known.

    `seen` is the transform's listing. Raises Conflict, GlueUnavailable, LedgerUnavailable.
    """
    listed = next((one for one in seen if one.task_run_id == run.task_run_id), None)
    if listed is None:
        return _not_listed(run, now, deps)
    return record_glue_run(run, listed, now, deps)


def record_glue_run(run: Run, glue_run: GlueRun, now: datetime, deps: Dependencies) -> Run:
    """Record what `glue_run` says, as far as it is news."""
    after = progress(glue_run, now).onto(run)
    if run.cancel_requested and after.status in (Status.STARTING, Status.RUNNING):
        after = replace(after, status=_cancelled(glue_run, run, deps))
    if after.status is run.status and after.task_run_id == run.task_run_id:
        return run
    return deps.ledger.write(run, after)


def progress(glue_run: GlueRun, now: datetime) -> Progress:
    over = glue_run.status.is_terminal
    failed = glue_run.status in (Status.FAILED, Status.TIMEOUT)
    return Progress(
        status=glue_run.status,
        task_run_id=glue_run.task_run_id,
        started_on=glue_run.started_on,
        completed_on=(glue_run.completed_on or now) if over else None,
        execution_time=glue_run.execution_time if over else None,
        error=RunError(f"GLUE_{glue_run.status}", glue_run.error or "Glue gave no reason") if failed else None,
        changed_on=now,
    )


def _if_changed(run: OpenRun, after: Run) -> Run | None:
    return after if after.revision != run.revision else None


def _not_listed(run: Run, now: datetime, deps: Dependencies) -> Run:
    if now - (run.start_attempted_on or run.requested_on) < deps.policy.confirm_after:
        return run  # a new run may take a while to be listed
    try:
        return record_glue_run(run, deps.glue.get_task_run(run.transform_id or "", run.task_run_id or ""), now, deps)
    except NotFoundInGlue:
        lost = RunError("UNKNOWN_TO_GLUE", "Glue no longer knows the task run or its transform")
        return deps.ledger.write(run, as_ended(run, Status.LOST, now, lost))


def _cancelled(glue_run: GlueRun, run: Run, deps: Dependencies) -> Status:
    try:
        return deps.glue.cancel(run.transform_id or "", glue_run.task_run_id)
    except (NotFoundInGlue, Refused):
        return glue_run.status  # ended under our hands: the next listing tells how
