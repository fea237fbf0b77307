"""What can go wrong, as a caller tells it apart. Each error knows the exit code of the `label-loop` command."""

from collections.abc import Mapping, Sequence
from typing import Any

EXIT_CODES = {
    0: "done",
    1: "the service or the run said no",
    2: "usage: an argument is missing or wrong",
    3: "the labels are not fit to be imported",
    4: "no credentials, or not allowed",
    5: "the wait ran out; the run goes on",
    130: "interrupted",
}


class LabelLoopError(Exception):
    """Base of all errors of this package."""

    exit_code = 1


class UsageError(LabelLoopError):
    """An argument is missing or wrong; nothing was sent."""

    exit_code = 2


class ServiceError(LabelLoopError):
    """The service refused the request. `status` is HTTP's, `problem` the problem details (RFC 9457)."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(_explain(status, problem))
        self.status = status
        self.problem = problem


class NotAllowed(ServiceError):
    """HTTP 401 or 403: the credentials or the link do not allow the request."""

    exit_code = 4


class NoCredentials(LabelLoopError):
    """botocore's chain found no credentials."""

    exit_code = 4


class Unavailable(LabelLoopError):
    """The service did not answer, or answered that it cannot take the request now, and the retries ran out.

    `idempotency_key` goes on with the same request: sent again with it, the request still starts one run.
    """

    def __init__(self, message: str, idempotency_key: str | None = None) -> None:
        hint = f" Nothing is lost: repeat the call with the key {idempotency_key}." if idempotency_key else ""
        super().__init__(message + hint)
        self.idempotency_key = idempotency_key


class RunFailed(LabelLoopError):
    """A run that was waited for ended without success. `run` is the task run."""

    def __init__(self, run: Any) -> None:  # noqa: ANN401 - a TaskRun; its module imports this one
        reason = f": {run.error.message}" if run.error else ""
        super().__init__(f"run {run.id} ended as {run.status}{reason}")
        self.run = run


class LabelsNotFit(LabelLoopError):
    """The labels cannot be imported. `errors` say what is wrong, with `row` and `message` each."""

    exit_code = 3

    def __init__(self, errors: Sequence[Mapping[str, Any]]) -> None:
        super().__init__("; ".join(_label_error(error) for error in errors) or "the labels are not fit to be imported")
        self.errors = errors


class WaitExpired(LabelLoopError):
    """The run has not ended within the time given. It goes on; wait again with its id."""

    exit_code = 5

    def __init__(self, run: Any, seconds: float) -> None:  # noqa: ANN401 - a TaskRun
        super().__init__(f"run {run.id} is still {run.status} after {seconds:g} s; it goes on")
        self.run = run


def _explain(status: int, problem: Mapping[str, Any]) -> str:
    text = str(problem.get("detail") or problem.get("title") or problem.get("message") or f"HTTP {status}")
    for error in problem.get("errors") or []:
        place = error.get("pointer") or error.get("parameter") or ""
        text += f"\n  {place.removeprefix('#/')} {error.get('detail', '')}".rstrip()
    return text


def _label_error(error: Mapping[str, Any]) -> str:
    row = error.get("row")
    text = str(error.get("message") or error.get("detail") or "")
    return text if row is None else f"row {int(row) + 1}: {text}"
