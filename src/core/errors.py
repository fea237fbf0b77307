"""Every error that this service raises on purpose. They know nothing of HTTP or AWS."""

from datetime import datetime, timedelta
from typing import NamedTuple

from core.runs import Run, WaitingReason


class LoopError(Exception):
    """The base class of all errors of this service."""


# --- errors for callers


class FieldError(NamedTuple):
    """An invalid field of a request. `pointer` is a JSON Pointer into the payload; `detail` continues the field's name."""

    pointer: str
    detail: str


class InvalidRequest(LoopError):
    """Some fields of the request are invalid, or name what the caller may not use."""

    def __init__(self, *errors: FieldError) -> None:
        super().__init__("; ".join(f"{error.pointer} {error.detail}" for error in errors))
        self.errors = errors


class CommandTooOld(LoopError):
    """The command was sent longer ago than keys are remembered, so it may have been carried out before."""

    def __init__(self, sent_on: datetime, retention: timedelta) -> None:
        sent, days = sent_on.isoformat(timespec="seconds"), retention / timedelta(days=1)
        super().__init__(f"was sent at {sent}: keys are remembered for {days:g} days, and older commands are not carried out")


class IdempotencyKeyReused(LoopError):
    """The caller sent this key before, with another payload."""


class RequestInFlight(LoopError):
    """The first request with this key is still being processed."""


class QueueFull(LoopError):
    """Glue is at its limit and the transform's queue is full. Nothing was accepted."""


class TryAgainLater(LoopError):
    """A temporary failure before anything was started. Nothing was accepted; the same key may be sent again."""


class RunNotFound(LoopError):
    """There is no such task run, or the caller may not see it."""


class RunRefused(LoopError):
    """Glue, or a check before it, has just refused the run; it is recorded as REFUSED."""

    def __init__(self, run: Run) -> None:
        super().__init__(f"{run.error.code}: {run.error.message}" if run.error else "refused")
        self.run = run


class AlreadyEnded(LoopError):
    """The run has ended, so it cannot be cancelled."""

    def __init__(self, run: Run) -> None:
        super().__init__(f"The task run {run.id} has already ended: {run.status}.")
        self.run = run


class InvalidCursor(LoopError):
    """The cursor does not come from a listing with the same filters."""


# --- why a write to the ledger failed


class Conflict(LoopError):
    """The item has changed since the writer read it; `current` is the run as it is now, None if there is none."""

    def __init__(self, current: Run | None) -> None:
        super().__init__("the run was changed by another writer")
        self.current = current


class QueueBlocked(LoopError):
    """Other runs of the transform come first: some are queued, or an exclusive one is open."""


class QueueLimitReached(LoopError):
    """The transform's queue holds as many runs as it may."""


class LedgerUnavailable(LoopError):
    """The ledger failed or could not be reached; the write may or may not have happened."""


# --- how a start in Glue failed


class ConcurrencyLimitReached(LoopError):
    """Glue runs as many task runs as it allows. Nothing was started."""

    waiting_reason = WaitingReason.GLUE_LIMIT


class Refused(LoopError):
    """Glue, or a check before it, refused the request permanently, as core.refusals tells. Nothing was started."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class NotStarted(LoopError):
    """Glue throttled or could not be reached. Nothing was started."""

    waiting_reason = WaitingReason.GLUE_UNAVAILABLE


class LabelFileUnavailable(NotStarted):
    """S3 throttled or could not be reached, so that the label file was not checked. Nothing was started."""

    waiting_reason = WaitingReason.FILE_UNREADABLE


class StartPostponed(LoopError):
    """Nothing was started, but a later attempt may succeed. `run` is the run that was to start.

    Its reservation is still in the ledger; the caller decides what becomes of it.
    """

    def __init__(self, run: Run, cause: ConcurrencyLimitReached | NotStarted) -> None:
        super().__init__(str(cause))
        self.run = run
        self.waiting_reason = cause.waiting_reason

    @property
    def at_limit(self) -> bool:
        """Whether Glue was at its concurrency limit."""
        return self.waiting_reason is WaitingReason.GLUE_LIMIT


class ResponseLost(LoopError):
    """The request was sent to Glue and its outcome is unknown: the run may have started."""


# --- how a look-up failed


class GlueUnavailable(LoopError):
    """A look-up or a cancellation failed temporarily. Nothing is known; the next round tries again."""


class NotFoundInGlue(LoopError):
    """Glue has no such transform or task run."""


class RoundInProgress(LoopError):
    """Another process still goes through the same open runs: a second one would only repeat its look-ups in Glue."""


class PartNotInvoked(LoopError):
    """The function could not be invoked for another part of a round; the next tick tries again."""


class FileNotReadable(LoopError):
    """S3 refuses the label file permanently: it does not exist, for example. `code` is S3's; the message has the remedy."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class S3Unavailable(LoopError):
    """S3 failed, throttled or could not be reached: a later attempt may succeed."""
