"""Bring a run that Glue has up to date with what Glue says of it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from core.errors import Refused, UnknownToGlue
from core.ports import GlueRun, World
from core.runs import Run, RunError, Status, ended


def follow(run: Run, seen: Sequence[GlueRun], now: datetime, world: World) -> Run:
    """Record the run's status in Glue, and cancel it there if that was asked for before it was known.

    `seen` is the transform's listing. Raises Conflict, GlueUnavailable, LedgerUnavailable.
    """
    listed = next((one for one in seen if one.task_run_id == run.task_run_id), None)
    if listed is None:
        return _not_listed(run, now, world)
    return keep_up(run, listed, now, world)


def keep_up(run: Run, glue_run: GlueRun, now: datetime, world: World) -> Run:
    """Record what `glue_run` says, as far as it is news."""
    after = as_glue_says(run, glue_run, now)
    if run.cancel_requested and after.status in (Status.STARTING, Status.RUNNING):
        after = replace(after, status=_cancelled(glue_run, run, world))
    if after.status is run.status and after.task_run_id == run.task_run_id:
        return run
    return world.ledger.write(run, after)


def as_glue_says(run: Run, glue_run: GlueRun, now: datetime) -> Run:
    over = glue_run.status.is_terminal
    failed = glue_run.status in (Status.FAILED, Status.TIMEOUT)
    return replace(
        run,
        status=glue_run.status,
        task_run_id=glue_run.task_run_id,
        started_on=glue_run.started_on,
        completed_on=(glue_run.completed_on or now) if over else None,
        execution_time=glue_run.execution_time if over else None,
        error=RunError(f"GLUE_{glue_run.status}", glue_run.error or "Glue gave no reason") if failed else None,
        lease_until=None,
        changed_on=now,
    )


def _not_listed(run: Run, now: datetime, world: World) -> Run:
    if now - (run.asked_on or run.requested_on) < world.policy.confirm_after:
        return run  # a new run may take a while to be listed
    try:
        return keep_up(run, world.glue.run(run.transform_id or "", run.task_run_id or ""), now, world)
    except UnknownToGlue:
        lost = RunError("UNKNOWN_TO_GLUE", "Glue no longer knows the task run or its transform")
        return world.ledger.write(run, ended(run, Status.LOST, now, lost))


def _cancelled(glue_run: GlueRun, run: Run, world: World) -> Status:
    try:
        return world.glue.cancel(run.transform_id or "", glue_run.task_run_id)
    except (UnknownToGlue, Refused):
        return glue_run.status  # ended under our hands: the next listing tells how
