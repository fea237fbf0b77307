"""Cancel a task run in any state."""

import logging
from dataclasses import replace

from core.errors import (
    AlreadyEnded,
    Conflict,
    GlueUnavailable,
    LedgerUnavailable,
    NotFoundInGlue,
    Refused,
    RunNotFound,
    TryAgainLater,
)
from core.log_fields import log_fields
from core.ports import Dependencies
from core.runs import IN_GLUE, Run, Status, as_ended

_log = logging.getLogger(__name__)
_MAX_ATTEMPTS = 5  # at a run that others change at the same time


def cancel(run_id: str, deps: Dependencies) -> Run:
    """Cancel the run, and return its new state.

    A queued run ends at once. A run in Glue gets a request to stop. A run whose start is unconfirmed keeps the request: it is
    cancelled once the start is confirmed or ruled out.

    Raises RunNotFound, AlreadyEnded, TryAgainLater.
    """
    for _ in range(_MAX_ATTEMPTS):
        try:
            run = deps.ledger.get(run_id)
            if run is None:
                raise RunNotFound(f"There is no task run {run_id}.")
            if run.status.is_terminal:
                raise AlreadyEnded(run)
            cancelled = deps.ledger.write(run, _request_cancellation(run, deps))
            _log.info("CANCELLED" if cancelled.status.is_terminal else "CANCEL_REQUESTED", extra=log_fields(cancelled))
            return cancelled  # noqa: TRY300  part of the attempt
        except Conflict:
            continue
        except (GlueUnavailable, LedgerUnavailable) as fault:
            raise TryAgainLater("The run could not be cancelled at the moment.") from fault
    raise TryAgainLater("The run changes too fast to be cancelled at the moment.")


def _request_cancellation(run: Run, deps: Dependencies) -> Run:
    """Cancel `run` in Glue if it is there, and return the run to be written."""
    now = deps.clock()
    if run.status is Status.QUEUED:
        return as_ended(run, Status.CANCELLED, now)
    requested = replace(run, cancel_requested=True)
    if run.status not in IN_GLUE:
        return requested
    try:
        status = deps.glue.cancel(run.transform_id or "", run.task_run_id or "")
    except (NotFoundInGlue, Refused):
        return requested  # it has just ended in Glue: the reconciler records the result
    # The reconciler records terminal states, with Glue's times and error.
    return requested if status.is_terminal else replace(requested, status=status, changed_on=now)
