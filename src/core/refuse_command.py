"""Record an invalid command as a refused run, so that its event is sent and its error can be read."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import Conflict, FieldError
from core.log_fields import log_fields
from core.ports import Dependencies
from core.runs import Run, RunError, Status, TaskType, as_ended, run_id

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedCommand:
    """A command that can never be carried out, as far as it could be read. `code` and `errors` say why."""

    caller: str
    task_type: TaskType
    transform_id: str | None
    path: str | None
    code: str
    errors: Sequence[FieldError]
    correlation_id: str
    causation_id: str


def refuse_command(command: RefusedCommand, deps: Dependencies) -> None:
    """Record the command as a REFUSED run; repeated deliveries are recorded once. Raises LedgerUnavailable."""
    now = deps.clock()
    run = Run(
        id=run_id(command.caller, f"refused {command.causation_id}"),
        requested_by=command.caller,
        requested_on=now,
        task_type=command.task_type,
        status=Status.REFUSED,
        transform_id=command.transform_id,
        path=command.path,
        correlation_id=command.correlation_id,
        causation_id=command.causation_id,
    )
    message = "; ".join(f"{error.pointer} {error.detail}" for error in command.errors)
    try:
        deps.ledger.write(None, as_ended(run, Status.REFUSED, now, RunError(command.code, message)))
    except Conflict:
        return
    _log.info("COMMAND_REFUSED", extra=log_fields(run, cause=command.code))
