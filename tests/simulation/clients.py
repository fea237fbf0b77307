"""boto3's clients as one simulated process has them: every call stops, and may fail in each way that the real one may."""

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from tests.simulation.processes import AwsCall, Crashed, Outcome, current_process, stop_at
from tests.simulation.table import TransactionCanceled, TransactionConflict, failure

STARTS = frozenset(
    {
        "start_ml_labeling_set_generation_task_run",
        "start_import_labels_task_run",
        "start_ml_evaluation_task_run",
        "start_export_labels_task_run",
    }
)
LOOKUPS = frozenset({"get_ml_task_runs", "get_ml_task_run"})
_READS = {
    "batch_get_item",
    "get_item",
    "get_ml_task_run",
    "get_ml_task_runs",
    "get_ml_transform",
    "get_object",
    "head_object",
    "query",
}
_WRITES = {"put_item", "delete_item", "update_item", "transact_write_items"}
_ALWAYS = {Outcome.OK: 960, Outcome.CRASH_BEFORE: 15, Outcome.NOT_SENT: 15}
_CHANGES = _ALWAYS | {Outcome.OK: 860, Outcome.CRASH_AFTER: 20, Outcome.FAIL_AFTER: 20, Outcome.THROTTLED: 10}
_OF_READ = _ALWAYS | {Outcome.THROTTLED: 10}
_OF_WRITE = _CHANGES | {Outcome.CONTENTION: 20, Outcome.RESENT: 20, Outcome.DELAYED: 10}
_OF_START = _CHANGES | {
    Outcome.LOST: 20,
    Outcome.DELAYED: 20,
    Outcome.SERVER_ERROR: 10,
    Outcome.REFUSED: 5,
    Outcome.DENIED: 5,
}
_OF_EVENTS = _CHANGES | {Outcome.PARTIAL: 60}

Delay = Callable[[Callable[[], object]], None]


@cache
def possible_outcomes(method: str) -> tuple[tuple[Outcome, ...], tuple[int, ...]]:
    """What may happen to a call of `method`, and how often in some thousand."""
    outcomes = _CHANGES
    if method in _READS:
        outcomes = _OF_READ
    elif method in STARTS:
        outcomes = _OF_START
    elif method in _WRITES:
        outcomes = _OF_WRITE
    elif method == "put_events":
        outcomes = _OF_EVENTS
    return tuple(outcomes), tuple(outcomes.values())


class SimulatedClient:
    """Stands in for the client of `service`, whose calls `backend` carries out. `delay` gets calls whose effect comes later.

    `is_quiet` tells which queries need no stop: those of partitions without items.
    """

    def __init__(self, service: str, backend: object, delay: Delay, is_quiet: Callable[[Mapping[str, Any]], bool]) -> None:
        self._service = service
        self._backend = backend
        self._delay = delay
        self._is_quiet = is_quiet
        self.exceptions = getattr(backend, "exceptions", None)

    def get_paginator(self, operation: str) -> Any:  # noqa: ANN401  botocore's Paginator
        call = getattr(self, operation)

        def paginate(**parameters: Any) -> Iterator[Any]:  # noqa: ANN401
            while True:
                page = call(**parameters)
                yield page
                if "LastEvaluatedKey" not in page:
                    return
                parameters["ExclusiveStartKey"] = page["LastEvaluatedKey"]

        return SimpleNamespace(paginate=paginate)

    def __getattr__(self, method: str) -> Callable[..., Any]:
        carry_out: Callable[..., Any] = getattr(self._backend, method)
        service, is_quiet = self._service, self._is_quiet

        def call(**parameters: Any) -> Any:  # noqa: ANN401  botocore's own parameters
            if method == "query" and is_quiet(parameters):
                return {"Items": []}
            outcome = stop_at(AwsCall(service, method, parameters))
            if outcome is Outcome.OK:
                return carry_out(**parameters)
            return self._suffer(outcome, method, parameters, carry_out)

        self.__dict__[method] = call
        return call

    def _suffer(self, outcome: Outcome, method: str, parameters: dict[str, Any], carry_out: Callable[..., Any]) -> Any:  # noqa: ANN401
        match outcome:
            case Outcome.CRASH_BEFORE:
                current_process().has_crashed = True
                raise Crashed
            case Outcome.CRASH_AFTER:
                _ignoring_errors(lambda: carry_out(**parameters))
                current_process().has_crashed = True
                raise Crashed
            case Outcome.FAIL_AFTER | Outcome.SERVER_ERROR:
                carry_out(**parameters)
            case Outcome.DELAYED:
                self._delay(lambda: carry_out(**parameters))
            case Outcome.RESENT:
                return _resend(method, parameters, carry_out)
            case Outcome.PARTIAL:
                return carry_out(**parameters, reject_some=True)
        raise _error(outcome, method)


def _resend(method: str, parameters: dict[str, Any], carry_out: Callable[..., Any]) -> Any:  # noqa: ANN401
    """The SDK's second try. A transaction carries a token, by which DynamoDB knows that it has been carried out."""
    response = carry_out(**parameters)
    return response if method == "transact_write_items" else carry_out(**parameters)


def _ignoring_errors(call: Callable[[], object]) -> None:
    """Nobody is left to hear of an error."""
    try:
        call()
    except ClientError:
        return


_CODES = {
    Outcome.THROTTLED: "ThrottlingException",
    Outcome.DENIED: "AccessDeniedException",
    Outcome.REFUSED: "InvalidInputException",
}


def _error(outcome: Outcome, method: str) -> Exception:
    """What botocore raises for `outcome`."""
    if outcome in _CODES:
        return failure(ClientError, _CODES[outcome])
    if outcome is Outcome.NOT_SENT:
        return EndpointConnectionError(endpoint_url="https://simulated")
    if outcome is Outcome.SERVER_ERROR:
        return failure(ClientError, "InternalServiceException", ResponseMetadata={"HTTPStatusCode": 500})
    if outcome is Outcome.CONTENTION:
        reasons = [{"Code": "TransactionConflict"}, {"Code": "None"}]
        if method == "transact_write_items":
            return failure(TransactionCanceled, "TransactionCanceledException", CancellationReasons=reasons)
        return failure(TransactionConflict, "TransactionConflictException")
    return ReadTimeoutError(endpoint_url="https://simulated")
