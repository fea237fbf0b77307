"""Before a replace: export the labels that it will forget, and import only after that succeeded.

The import waits at the head of its line, and holds the place of the open import, so that no labels can come in between. An
export too many does no harm, so a lost answer is looked up, and asked for again when the grace period is over.
"""

from collections.abc import Sequence
from dataclasses import replace

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


def needs_export(run: Run) -> bool:
    return run.export_to is not None


def export_first(run: Run, seen: Sequence[GlueRun], deps: Dependencies) -> Run | None:
    """Bring the export on; give the run when its import may be asked for, None as long as it may not, or never will.

    `seen` is the transform's listing. Raises Conflict, LineAhead, StartPostponed, GlueUnavailable, LedgerUnavailable.
    """
    if run.export_attempted_on is None:
        if not _has_labels(run, deps):
            return run
        _ask(run, deps)
        return None
    found = _find(run, seen)
    if found is None:
        if deps.clock() - run.export_attempted_on >= deps.policy.confirm_after:
            _ask(run, deps)
        return None
    if found.status is Status.SUCCEEDED:
        return run
    if found.status.is_terminal:
        reason = RunError(
            "EXPORT_FAILED", f"the export before the import ended {found.status}: {found.error or ''}".rstrip(": ")
        )
        deps.ledger.write(run, as_ended(run, Status.START_FAILED, deps.clock(), reason))
    return None


def _ask(run: Run, deps: Dependencies) -> None:
    held = deps.ledger.write(run, replace(run, export_attempted_on=deps.clock()))
    try:
        export_run_id = deps.glue.start_export(replace(held, export_to=_folder(held)))
    except ResponseLost:
        return
    except Refused as no:
        deps.ledger.write(held, as_ended(held, Status.REFUSED, deps.clock(), RunError(no.code, no.message)))
        return
    except (ConcurrencyLimitReached, NotStarted) as reason:
        deps.ledger.write(held, replace(held, export_attempted_on=None))
        raise StartPostponed(held, reason) from reason
    deps.ledger.write(held, replace(held, export_run_id=export_run_id))


def _find(run: Run, seen: Sequence[GlueRun]) -> GlueRun | None:
    """The run's export: the only one that is ever given this attempt's own prefix."""
    prefix = _folder(run).rstrip("/")
    same = [one for one in seen if one.task_type == "EXPORT_LABELS" and (one.path or "").rstrip("/") == prefix]
    return max(same, key=lambda one: (one.status is Status.SUCCEEDED, one.started_on), default=None)


def _folder(run: Run) -> str:
    """Of this attempt alone: an earlier attempt's export lacks the labels that came since."""
    return f"{run.export_to or ''}{'' if run.attempt == 1 else f'{run.attempt}/'}"


def _has_labels(run: Run, deps: Dependencies) -> bool:
    try:
        return deps.glue.get_transform(run.transform_id or "").label_count > 0
    except NotFoundInGlue:
        return True  # asking for the export tells; were it a slip, the import would forget labels that nobody exported
    except GlueUnavailable as fault:
        raise StartPostponed(run, NotStarted(str(fault))) from fault
