"""Export the existing labels before an import replaces them; the import starts only after the export succeeded.

The import waits in the transform's queue and counts as the open import meanwhile, so that no other import comes in between. A
second export does no harm, so an export whose response was lost is looked up, and started again if Glue does not list it after
the grace period (`Policy.confirm_after`).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from core.errors import (
    ConcurrencyLimitReached,
    GlueUnavailable,
    NotFoundInGlue,
    NotStarted,
    Refused,
    ResponseLost,
    StartPostponed,
)
from core.ports import Dependencies, GlueRun
from core.runs import Run, RunError, Status, as_ended

_EXPORT_TASK_TYPE = "EXPORT_LABELS"


def needs_export(run: Run) -> bool:
    return run.export_to is not None


def is_import_ready(run: Run, glue_runs: Sequence[GlueRun], listed_on: datetime, deps: Dependencies) -> bool:
    """Take the next step of the export of `run`; tell whether its import may start now.

    `glue_runs` are the transform's task runs, listed after `listed_on`. Raises Conflict, QueueBlocked, StartPostponed,
    LedgerUnavailable.
    """
    if run.export_attempted_on is None:
        if not _has_labels(run, deps):
            return True
        _start_export(run, deps)
        return False
    export = _find_export(run, glue_runs)
    if export is None:
        if listed_on - run.export_attempted_on >= deps.policy.confirm_after:
            _start_export(run, deps)
        return False
    if export.status.is_terminal and export.status is not Status.SUCCEEDED:
        message = f"the export before the import ended {export.status}: {export.error or ''}".rstrip(": ")
        error = RunError("EXPORT_FAILED", message)
        deps.ledger.write(run, as_ended(run, Status.START_FAILED, deps.clock(), error))
    return export.status is Status.SUCCEEDED


def _start_export(run: Run, deps: Dependencies) -> None:
    """Start the export, recording the attempt first: the transform's other imports wait from then on."""
    attempted_on = deps.clock()
    attempted = deps.ledger.write(run, replace(run, export_attempted_on=attempted_on))
    if deps.clock() - attempted_on > deps.policy.start_within:
        return  # another reconciler may already be looking for this export: starting it now could export twice
    try:
        export_run_id = deps.glue.start_export(replace(attempted, export_to=_export_folder(attempted)))
    except ResponseLost:
        return
    except Refused as refusal:
        error = RunError(refusal.code, refusal.message)
        deps.ledger.write(attempted, as_ended(attempted, Status.REFUSED, deps.clock(), error))
        return
    except (ConcurrencyLimitReached, NotStarted) as reason:
        deps.ledger.write(attempted, replace(attempted, export_attempted_on=None))
        raise StartPostponed(attempted, reason) from reason
    deps.ledger.write(attempted, replace(attempted, export_run_id=export_run_id))


def _find_export(run: Run, glue_runs: Sequence[GlueRun]) -> GlueRun | None:
    """The export to this attempt's folder. Of several, the latest that succeeded, else the latest."""
    folder = _export_folder(run).rstrip("/")
    exports = [
        glue_run
        for glue_run in glue_runs
        if glue_run.task_type == _EXPORT_TASK_TYPE and (glue_run.path or "").rstrip("/") == folder
    ]
    return max(exports, key=lambda export: (export.status is Status.SUCCEEDED, export.started_on), default=None)


def _export_folder(run: Run) -> str:
    """A folder for each attempt: the export of an earlier attempt lacks the labels that were imported since."""
    return f"{run.export_to or ''}{'' if run.attempt == 1 else f'{run.attempt}/'}"


def _has_labels(run: Run, deps: Dependencies) -> bool:
    try:
        return deps.glue.get_transform(run.transform_id or "").label_count > 0
    except NotFoundInGlue:
        # Glue is eventually consistent, so this may be wrong, and the import would remove labels that nobody exported.
        # Starting the export shows whether the transform exists.
        return True
    except GlueUnavailable as error:
        raise StartPostponed(run, NotStarted(str(error))) from error
