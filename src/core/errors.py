"""What can go wrong, by name. Nothing here knows HTTP or AWS."""

from dataclasses import dataclass

from core.runs import Run


class LoopError(Exception):
    """The root of every error that this service raises on purpose."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field of a request, and the remedy. `pointer` is a JSON Pointer into the payload."""

    pointer: str
    detail: str


class InvalidRequest(LoopError):
    """The request names something that it may not name."""

    def __init__(self, *errors: FieldError) -> None:
        super().__init__("; ".join(f"{error.pointer} {error.detail}" for error in errors))
        self.errors = errors


class IdempotencyKeyReused(LoopError):
    """The same caller sent the same key with another payload."""


class RequestInFlight(LoopError):
    """The first request with this key is being worked on right now."""


class QueueFull(LoopError):
    """Glue is at its limit and the transform's queue is full: nothing was accepted."""


class TryAgainLater(LoopError):
    """A passing fault before anything was started: nothing was accepted, the same key may be sent again."""


class RunNotFound(LoopError):
    """There is no such task run."""


class RunRefused(LoopError):
    """Glue said no to the run just now; it is on record as REFUSED."""

    def __init__(self, run: Run) -> None:
        super().__init__(f"{run.error.code}: {run.error.message}" if run.error else "refused")
        self.run = run


class AlreadyEnded(LoopError):
    """The run has ended; there is nothing to cancel."""

    def __init__(self, run: Run) -> None:
        super().__init__(f"The task run {run.id} has already ended: {run.status}.")
        self.run = run


class InvalidCursor(LoopError):
    """The cursor was not given out by a listing with the same filters."""


# --- the ledger's failed conditions


class Conflict(LoopError):
    """The ledger's item is not the one that the writer saw; `current` is what stands there (None: nothing does)."""

    def __init__(self, current: Run | None) -> None:
        super().__init__("the ledger has moved on")
        self.current = current


class QueueBlocked(LoopError):
    """Others of the same transform come first: somebody waits, or an import is open."""


class QueueLimitReached(LoopError):
    """As many runs wait for the transform as may."""


class LedgerUnavailable(LoopError):
    """The ledger could not be reached, or refused for now; the write may or may not have happened."""


# --- Glue's answers to a start


class ConcurrencyLimitReached(LoopError):
    """Glue runs as many task runs as it allows: proved not started."""


class Refused(LoopError):
    """Glue, or a check before it, said no for good: proved not started."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class NotStarted(LoopError):
    """Glue throttled or could not be reached: proved not started."""


class StartPostponed(LoopError):
    """Nothing was started, but it may be later: `run` is the reservation that stands, `at_limit` whether Glue had no room."""

    def __init__(self, run: Run, reason: ConcurrencyLimitReached | NotStarted) -> None:
        super().__init__(str(reason))
        self.run = run
        self.at_limit = isinstance(reason, ConcurrencyLimitReached)


class ResponseLost(LoopError):
    """Glue was asked and the answer is not known: the run may have started."""


class GlueUnavailable(LoopError):
    """A look-up or a cancellation did not get through; nothing is known, the next round tries again."""


class FileNotReadable(LoopError):
    """The label file is not there, or may not be read; the text says which."""


class S3Unavailable(LoopError):
    """S3 could not be asked just now."""


class NotFoundInGlue(LoopError):
    """Glue knows no such transform or task run."""
