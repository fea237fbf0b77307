"""Export the existing labels before an import replaces them; the import starts only after the export succeeded.

The import waits in the transform's queue and counts as the open import meanwhile, so that no other import comes in between. A
second export does no harm, so an export whose response was lost is looked up, and started again if Glue does not list it after
the grace period (`Policy.confirm_after`).
"""

import logging
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
from core.log_fields import log_fields
from core.ports import Dependencies, GlueRun
from core.runs import Run, RunError, Status, WaitingReason, as_ended, as_waiting
from core.waiting import record_reason

_log = logging.getLogger(__name__)
_EXPORT_TASK_TYPE = "EXPORT_LABELS"


def needs_export(run: Run) -> bool:
    return run.export_to is not None


def is_import_ready(run: Run, glue_runs: Sequence[GlueRun], listed_on: datetime, deps: Dependencies) -> bool:
    """Take the next step of the export of `run`; tell whether its import may start now.

    `glue_runs` are the transform's task runs, listed after `listed_on`. Raises Conflict, QueueBlocked, StartPostponed,
    LedgerUnavailable.
    """
    if run.export_attempted_on is None:
        try:
            if not _has_labels(run, deps):
                return True
        except Refused as refusal:
            _refuse(run, refusal, deps)
        else:
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
    waiting = as_waiting(run, attempted_on, WaitingReason.EXPORT)
    attempted = deps.ledger.write(run, replace(waiting, export_attempted_on=attempted_on))
    if deps.clock() - attempted_on > deps.policy.start_within:
        return  # another reconciler may already be looking for this export: starting it now could export twice
    try:
        export_run_id = deps.glue.start_export(replace(attempted, export_to=_export_folder(attempted)))
    except ResponseLost:
        return
    except Refused as refusal:
        _refuse(attempted, refusal, deps)
        return
    except (ConcurrencyLimitReached, NotStarted) as cause:
        waiting = as_waiting(attempted, deps.clock(), cause.waiting_reason)
        deps.ledger.write(attempted, replace(waiting, export_attempted_on=None))
        raise StartPostponed(attempted, cause) from cause
    deps.ledger.write(attempted, replace(attempted, export_run_id=export_run_id))


def _refuse(run: Run, refusal: Refused, deps: Dependencies) -> None:
    error = RunError(refusal.code, refusal.message)
    _log.info("START_REFUSED", extra=log_fields(deps.ledger.write(run, as_ended(run, Status.REFUSED, deps.clock(), error))))


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
        cause = NotStarted(str(error))
        record_reason(run, cause.waiting_reason, deps)
        raise StartPostponed(run, cause) from error
