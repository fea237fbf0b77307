"""Cancel a task run, wherever it stands."""

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
_ROUNDS = 5


def cancel(run_id: str, deps: Dependencies) -> Run:
    """Cancel the run, and return it as it stands then.

    A queued run is over at once; one in Glue is asked to stop; one whose start is in doubt is cancelled as soon as that is
    settled. Raises RunNotFound, AlreadyOver, TryAgainLater.
    """
    for _ in range(_ROUNDS):
        try:
            run = deps.ledger.get(run_id)
            if run is None:
                raise RunNotFound(f"There is no task run {run_id}.")
            if run.status.is_terminal:
                raise AlreadyEnded(run)
            cancelled = deps.ledger.write(run, _cancelled(run, deps))
            _log.info("CANCELLED" if cancelled.status.is_terminal else "CANCEL_REQUESTED", extra=log_fields(cancelled))
            return cancelled  # noqa: TRY300  what ended well is no other case
        except Conflict:
            continue
        except (GlueUnavailable, LedgerUnavailable) as fault:
            raise TryAgainLater("The run could not be cancelled at the moment.") from fault
    raise TryAgainLater("The run changes too fast to be cancelled at the moment.")


def _cancelled(run: Run, deps: Dependencies) -> Run:
    now = deps.clock()
    if run.status is Status.QUEUED:
        return as_ended(run, Status.CANCELLED, now)
    asked = replace(run, cancel_requested=True)
    if run.status not in IN_GLUE:
        return asked
    try:
        status = deps.glue.cancel(run.transform_id or "", run.task_run_id or "")
    except (NotFoundInGlue, Refused):
        return asked  # it ended in Glue just now: the reconciler records how
    # Terminal states carry Glue's own times and reasons, so they are left to the reconciler to record.
    return asked if status.is_terminal else replace(asked, status=status, changed_on=now)
