"""Glue through boto3: a start that is sent once, and which failures prove that nothing started."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Never

from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ProxyConnectionError,
)

from core.errors import ConcurrencyLimitReached, GlueUnavailable, NotFoundInGlue, NotStarted, Refused, ResponseLost
from core.ports import GlueRun, Transform
from core.runs import Run, Status

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient

_LIMITS = {"ConcurrentRunsExceededException", "ResourceNumberLimitExceededException"}
_TOO_MANY = "ML Task Runs count"  # of AWS's own error strings too: exports have no exception of their own for limits
_TOO_LARGE = "Label file has exceeded"  # of AWS's own error strings: the same exception, but waiting makes no file smaller
_DOUBTFUL = {"OperationTimeoutException", "InternalServiceException", "InternalFailure", "InternalServerError"}
_PASSING = {
    "429",
    "ExpiredToken",
    "ExpiredTokenException",
    "LimitExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
}
_NEVER_SENT = (ConnectTimeoutError, EndpointConnectionError, NoCredentialsError, ProxyConnectionError)
_SERVER_ERROR = 500
_PAGE = 1000


class GlueTaskRuns:
    """core.ports.Glue.

    `starter` must be a client that never repeats a request by itself: a repeated start is a second run. `client` may.
    """

    def __init__(self, starter: "GlueClient", client: "GlueClient") -> None:
        self._starter = starter
        self._client = client

    def start(self, run: Run) -> str:
        transform_id, path = run.transform_id or "", run.path or ""
        if run.is_import:
            return _start(
                lambda: self._starter.start_import_labels_task_run(
                    TransformId=transform_id, InputS3Path=path, ReplaceAllLabels=bool(run.replace_all_labels)
                )["TaskRunId"]
            )
        return _start(
            lambda: self._starter.start_ml_labeling_set_generation_task_run(TransformId=transform_id, OutputS3Path=path)[
                "TaskRunId"
            ]
        )

    def start_export(self, run: Run) -> str:
        return _start(
            lambda: self._starter.start_export_labels_task_run(
                TransformId=run.transform_id or "", OutputS3Path=run.export_to or ""
            )["TaskRunId"]
        )

    def get_transform(self, transform_id: str) -> Transform:
        try:
            answer = self._client.get_ml_transform(TransformId=transform_id)
        except Exception as error:  # noqa: BLE001  see runs
            _raise_as_lookup_error(error)
        columns = tuple(column["Name"] for column in answer.get("Schema", []) if "Name" in column)
        return Transform(columns, answer.get("LabelCount", 0))

    def list_task_runs(self, transform_id: str, since: datetime) -> list[GlueRun]:
        found: list[GlueRun] = []
        arguments: dict[str, Any] = {
            "TransformId": transform_id,
            "MaxResults": _PAGE,
            "Filter": {"StartedAfter": since},
        }
        try:
            while True:
                answer = self._client.get_ml_task_runs(**arguments)
                found += map(_glue_run, answer.get("TaskRuns", []))
                if not answer.get("NextToken"):
                    return found
                arguments["NextToken"] = answer["NextToken"]
        except Exception as error:  # noqa: BLE001  botocore's parsers raise whatever an unreadable answer makes them
            _raise_as_lookup_error(error)

    def get_task_run(self, transform_id: str, task_run_id: str) -> GlueRun:
        try:
            return _glue_run(self._client.get_ml_task_run(TransformId=transform_id, TaskRunId=task_run_id))
        except Exception as error:  # noqa: BLE001  see runs
            _raise_as_lookup_error(error)

    def cancel(self, transform_id: str, task_run_id: str) -> Status:
        try:
            return Status(self._client.cancel_ml_task_run(TransformId=transform_id, TaskRunId=task_run_id)["Status"])
        except ClientError as error:
            if _code(error) == "InvalidInputException":
                raise Refused(_code(error), _message(error)) from error
            _raise_as_lookup_error(error)
        except Exception as error:  # noqa: BLE001  see runs
            _raise_as_lookup_error(error)


def _start(send: Callable[[], object]) -> str:
    """Send a start, and name what came of it; `send` gives what the answer has in the place of the task run's id."""
    try:
        task_run_id = send()
    except ClientError as error:
        _raise_as_start_error(error)
    except ParamValidationError as error:
        raise Refused("InvalidInputException", str(error)) from error
    except _NEVER_SENT as error:
        raise NotStarted(f"Glue cannot be reached: {error}") from error
    except Exception as error:  # the request may have arrived, whatever it was that went wrong afterwards
        raise ResponseLost(str(error)) from error
    if not isinstance(task_run_id, str):
        raise ResponseLost("the answer names no task run")
    return task_run_id


def _raise_as_start_error(error: ClientError) -> Never:
    """A 4xx of Glue's own proves that nothing started; a 5xx, a time-out, or something in between, proves nothing."""
    code, message = _code(error), _message(error)
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", _SERVER_ERROR)
    if status >= _SERVER_ERROR or code in _DOUBTFUL:
        raise ResponseLost(f"{code}: {message}") from error
    if message.startswith(_TOO_MANY) or (code in _LIMITS and not message.startswith(_TOO_LARGE)):
        raise ConcurrencyLimitReached(message) from error
    if code in _PASSING:
        raise NotStarted(f"{code}: {message}") from error
    if code.isdigit():  # botocore's name for an answer without one: it is not Glue's
        raise ResponseLost(f"{code}: {message}") from error
    raise Refused(code, message) from error


def _raise_as_lookup_error(error: Exception) -> Never:
    if isinstance(error, ClientError) and _code(error) == "EntityNotFoundException":
        raise NotFoundInGlue(_message(error)) from error
    raise GlueUnavailable(str(error)) from error


def _code(error: ClientError) -> str:
    return error.response["Error"].get("Code", "")


def _message(error: ClientError) -> str:
    return error.response["Error"].get("Message", "")


def _glue_run(answer: Any) -> GlueRun:  # noqa: ANN401  two operations answer with the same fields under two types
    properties = answer.get("Properties", {})
    labeling = properties.get("LabelingSetGenerationTaskRunProperties", {})
    importing = properties.get("ImportLabelsTaskRunProperties", {})
    exporting = properties.get("ExportLabelsTaskRunProperties", {})
    return GlueRun(
        task_run_id=answer["TaskRunId"],
        task_type=properties.get("TaskType", ""),
        status=Status(answer["Status"]),
        started_on=_utc(answer["StartedOn"]),
        completed_on=_utc(answer["CompletedOn"]) if answer.get("CompletedOn") else None,
        execution_time=answer.get("ExecutionTime"),
        error=answer.get("ErrorString"),
        path=labeling.get("OutputS3Path") or importing.get("InputS3Path") or exporting.get("OutputS3Path"),
        replace_all_labels=importing.get("Replace"),
    )


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
