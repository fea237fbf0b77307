"""Record a command that is not carried out as a refused run, so that its event is sent and its error can be read."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

from core.errors import Conflict, FieldError, TryAgainLater
from core.log_fields import log_fields
from core.ports import Dependencies
from core.requests import StartCommand, new_run
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


def refuse_for_full_queue(command: StartCommand, deps: Dependencies) -> Run:
    """Record the command as REFUSED (QUEUE_FULL), and return the run; a new message with the same key is a new attempt.

    A run that was accepted in between is returned as it is. Raises TryAgainLater if it has just changed, LedgerUnavailable.
    """
    now = deps.clock()
    existing = deps.ledger.get(new_run(command, now).id)
    if existing is not None and not existing.status.allows_new_attempt:
        return existing
    run = replace(new_run(command, now), attempt=existing.attempt + 1 if existing else 1)
    error = RunError(
        "QUEUE_FULL",
        f"{deps.policy.max_queued} runs of the transform are queued, which is the limit (MaxQueuedPerTransform)."
        " Send the command, or upload the file, again when some of them have ended.",
    )
    try:
        refused = deps.ledger.write(existing, as_ended(run, Status.REFUSED, now, error))
    except Conflict as conflict:
        raise TryAgainLater("The run has just been changed by another process.") from conflict
    _log.info("COMMAND_REFUSED", extra=log_fields(refused, cause=error.code))
    return refused
