"""Send a request until it is answered for good. A start carries one idempotency key on every try, so it starts one run."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from botocore.exceptions import HTTPClientError

from label_loop.api import Response
from label_loop.errors import NotAllowed, ServiceError, Unavailable

_CONFLICT = 409
_PASSING = frozenset({429, 502, 503, 504})
_NOT_ALLOWED = frozenset({401, 403})
_FIRST_ERROR = 400
_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 20.0


@dataclass(frozen=True)
class Retries:
    """How long to go on. `seconds` bounds all pauses together; `sleep` and `clock` are for tests."""

    seconds: float = 120.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


def send_until_answered(
    send: Callable[[], Response], retries: Retries, idempotency_key: str | None = None, *, may_repeat: bool = True
) -> Response:
    """The first answer that a repeat would not change. Pauses follow `Retry-After`, or double from 0.5 s to 20 s.

    Lost connections, 429, 502, 503 and 504 are repeated, and 409 while the first request with the key is in flight. With
    `may_repeat` False nothing is. Raises ServiceError for a refusal, NotAllowed for 401 and 403, Unavailable if time ran out.
    """
    deadline = retries.clock() + retries.seconds
    pause = _FIRST_PAUSE_SECONDS
    while True:
        try:
            response = send()
        except HTTPClientError as error:
            reason, wait = f"The service cannot be reached ({error})", pause
        else:
            if not _is_passing(response, idempotency_key):
                return _unless_refused(response)
            reason, wait = _reason(response), float(response.headers.get("retry-after") or pause)
        if not may_repeat or retries.clock() + wait > deadline:
            raise Unavailable(f"{reason}.", idempotency_key)
        retries.sleep(wait)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


def _is_passing(response: Response, idempotency_key: str | None) -> bool:
    is_in_flight = response.status == _CONFLICT and idempotency_key is not None and "retry-after" in response.headers
    return response.status in _PASSING or is_in_flight


def _unless_refused(response: Response) -> Response:
    if response.status < _FIRST_ERROR:
        return response
    problem = response.body if isinstance(response.body, dict) else {}
    raise (NotAllowed if response.status in _NOT_ALLOWED else ServiceError)(response.status, problem)


def _reason(response: Response) -> str:
    problem = response.body if isinstance(response.body, dict) else {}
    return str(problem.get("detail") or problem.get("title") or f"The service answered {response.status}").rstrip(".")
