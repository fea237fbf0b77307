"""Read the metrics of an evaluation that has succeeded. Glue keeps only those of a transform's latest evaluation."""

import logging
from dataclasses import replace
from datetime import datetime, timedelta

from core.errors import GlueUnavailable, NotFoundInGlue, Refused
from core.evaluation_metrics import EvaluationMetrics
from core.log_fields import log_fields
from core.ports import Dependencies, GlueRun
from core.runs import Run, Status, TaskType

_log = logging.getLogger(__name__)
_MAX_DURATION = timedelta(days=14)  # of a task run; by default, Glue ends it after 2 days
_SUPERSEDED = (
    "another evaluation of the transform has succeeded since; Glue keeps only the metrics of the latest one, so those of this "
    "one are not known"
)
_NOT_RETURNED = "Glue has returned no metrics of this evaluation"


class _Superseded(Exception):
    """The metrics may be those of another evaluation."""


def with_metrics(run: Run, glue_run: GlueRun, deps: Dependencies) -> Run | None:
    """`run`, an evaluation that succeeded as `glue_run`, with its metrics, or with a warning that says why it has none.

    None if Glue has not returned them yet. It is given the grace period, and if it cannot be reached, as long as for a start.
    Glue is eventually consistent, so an unknown transform may exist.
    """
    completed_on = glue_run.completed_on or glue_run.started_on
    metrics, patience = None, deps.policy.confirm_after
    try:
        metrics = _latest_metrics(run, completed_on, deps)
    except _Superseded:
        return replace(run, warning=_SUPERSEDED)
    except Refused as refusal:
        return replace(run, warning=f"{_NOT_RETURNED}: {refusal}")
    except GlueUnavailable:
        patience = deps.policy.start_deadline
    except NotFoundInGlue:
        pass
    if metrics is not None:
        return replace(run, metrics=metrics)
    if deps.clock() - completed_on < patience:
        _log.warning("METRICS_NOT_RETURNED", extra=log_fields(run))
        return None
    return replace(run, warning=_NOT_RETURNED)


def _latest_metrics(run: Run, completed_on: datetime, deps: Dependencies) -> EvaluationMetrics | None:
    """The transform's metrics, which are those of `run`. Raises _Superseded, NotFoundInGlue, Refused, GlueUnavailable.

    The task runs are listed after the metrics are read: whichever evaluation the metrics are of, it has ended in that list.
    """
    transform_id = run.transform_id or ""
    metrics = deps.glue.get_transform(transform_id).metrics
    if metrics is None:
        return None
    for task_run in deps.glue.list_task_runs(transform_id, completed_on - _MAX_DURATION):
        is_other = task_run.task_type == TaskType.EVALUATION and task_run.task_run_id != run.task_run_id
        if is_other and task_run.status is Status.SUCCEEDED and (task_run.completed_on or task_run.started_on) >= completed_on:
            raise _Superseded
    return metrics
