"""Glue through boto3. A start is sent once, and its errors tell whether it is proved that nothing was started."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Never

from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ProxyConnectionError,
)

from core.aws.evaluation_metrics import read_metrics
from core.aws.task_run_records import glue_run, readable_task_runs
from core.errors import ConcurrencyLimitReached, GlueUnavailable, NotFoundInGlue, NotStarted, Refused, ResponseLost
from core.ports import GlueRun, Transform
from core.refusals import FAULT_CODES, UNKNOWN_TRANSFORM_CODE, is_passing, missing_right
from core.runs import Run, Status, TaskType

if TYPE_CHECKING:
    from mypy_boto3_glue import GlueClient

_LIMIT_CODES = {"ConcurrentRunsExceededException", "ResourceNumberLimitExceededException"}
# How messages of Glue begin: at its limit, StartExportLabelsTaskRun raises the exception that also stands for other errors; and
# a label file that is too large raises the exception of a limit, but waiting does not make it smaller.
_LIMIT_MESSAGE = "ML Task Runs count"
_FILE_TOO_LARGE_MESSAGE = "Label file has exceeded"
# An export of a transform without labels raises the exception of an unknown transform.
_NO_LABELS_MESSAGE = "No labelset exists"
_NOT_READY_CODE = "MLTransformNotReadyException"
_IMPORT_FIRST = "Import labels first, and wait until the import has succeeded."
_NOT_SENT_ERRORS = (ConnectTimeoutError, EndpointConnectionError, NoCredentialsError, ProxyConnectionError)
_MIN_SERVER_ERROR_STATUS = 500
_PAGE_SIZE = 1000


class GlueTaskRuns:
    """core.ports.Glue.

    `starter` must be a client that never retries: a start that is sent twice starts two runs. `client` may retry.
    """

    def __init__(self, starter: "GlueClient", client: "GlueClient") -> None:
        self._starter = starter
        self._client = client

    def start(self, run: Run) -> str:
        starter, transform_id, path = self._starter, run.transform_id or "", run.path or ""
        match run.task_type:
            case TaskType.LABELING_SET_GENERATION:
                return _start(
                    lambda: starter.start_ml_labeling_set_generation_task_run(TransformId=transform_id, OutputS3Path=path)
                )
            case TaskType.IMPORT_LABELS:
                replaces = bool(run.replace_all_labels)
                return _start(
                    lambda: starter.start_import_labels_task_run(
                        TransformId=transform_id, InputS3Path=path, ReplaceAllLabels=replaces
                    )
                )
            case TaskType.EVALUATION:
                return _start(lambda: starter.start_ml_evaluation_task_run(TransformId=transform_id))
            case TaskType.EXPORT_LABELS:
                return self._start_export(transform_id, path)

    def start_export(self, run: Run) -> str:
        return self._start_export(run.transform_id or "", run.export_to or "")

    def _start_export(self, transform_id: str, folder: str) -> str:
        return _start(lambda: self._starter.start_export_labels_task_run(TransformId=transform_id, OutputS3Path=folder))

    def get_transform(self, transform_id: str) -> Transform:
        try:
            response = self._client.get_ml_transform(TransformId=transform_id)
        except Exception as error:  # noqa: BLE001  see list_task_runs
            _raise_refusal(error)
            _raise_lookup_error(error)
        columns = tuple(column["Name"] for column in response.get("Schema", []) if "Name" in column)
        find_matches = response.get("Parameters", {}).get("FindMatchesParameters", {})
        metrics = read_metrics(response.get("EvaluationMetrics", {}).get("FindMatchesMetrics"))
        return Transform(columns, response.get("LabelCount", 0), find_matches.get("PrimaryKeyColumnName", ""), metrics)

    def list_task_runs(self, transform_id: str, since: datetime) -> list[GlueRun]:
        glue_runs: list[GlueRun] = []
        arguments: dict[str, Any] = {
            "TransformId": transform_id,
            "MaxResults": _PAGE_SIZE,
            "Filter": {"StartedAfter": since},
        }
        try:
            while True:
                response = self._client.get_ml_task_runs(**arguments)
                glue_runs += readable_task_runs(response.get("TaskRuns") or [], transform_id, since)
                if not response.get("NextToken"):
                    return glue_runs
                arguments["NextToken"] = response["NextToken"]
        except Exception as error:  # noqa: BLE001  botocore's parsers raise all kinds of errors on an unreadable response
            _raise_lookup_error(error)

    def get_task_run(self, transform_id: str, task_run_id: str) -> GlueRun:
        try:
            return glue_run(self._client.get_ml_task_run(TransformId=transform_id, TaskRunId=task_run_id))
        except Exception as error:  # noqa: BLE001  see list_task_runs
            _raise_lookup_error(error)

    def cancel(self, transform_id: str, task_run_id: str) -> Status:
        try:
            return Status(self._client.cancel_ml_task_run(TransformId=transform_id, TaskRunId=task_run_id)["Status"])
        except ClientError as error:
            if _code(error) == "InvalidInputException":
                raise Refused(_code(error), _message(error)) from error
            _raise_lookup_error(error)
        except Exception as error:  # noqa: BLE001  see list_task_runs
            _raise_lookup_error(error)


def _start(send: Callable[[], Mapping[str, object]]) -> str:
    """Send a start with `send`, which returns Glue's response, and return the id in it. Raises as core.ports.Glue.start."""
    try:
        task_run_id = send()["TaskRunId"]
    except ClientError as error:
        _raise_start_error(error)
    except ParamValidationError as error:
        raise Refused("InvalidInputException", str(error)) from error
    except _NOT_SENT_ERRORS as error:
        raise NotStarted(f"Glue cannot be reached: {error}") from error
    except Exception as error:  # Glue may have received the request
        raise ResponseLost(str(error)) from error
    if not isinstance(task_run_id, str):
        raise ResponseLost("the response has no task run id")
    return task_run_id


def _raise_start_error(error: ClientError) -> Never:
    """A 4xx from Glue proves that nothing was started. A 5xx, a timeout or a response that is not Glue's proves nothing."""
    code, message = _code(error), _message(error)
    status = _http_status(error)
    if status >= _MIN_SERVER_ERROR_STATUS or code in FAULT_CODES:
        raise ResponseLost(f"{code}: {message}") from error
    if message.startswith(_LIMIT_MESSAGE) or (code in _LIMIT_CODES and not message.startswith(_FILE_TOO_LARGE_MESSAGE)):
        raise ConcurrencyLimitReached(message) from error
    if is_passing(code, status):
        raise NotStarted(f"{code}: {message}") from error
    if code.isdigit():  # botocore's substitute if the response has no code: it is not Glue's
        raise ResponseLost(f"{code}: {message}") from error
    if code == _NOT_READY_CODE:
        raise Refused(code, f"{message} {_IMPORT_FIRST}") from error
    if message.startswith(_NO_LABELS_MESSAGE):
        raise Refused("NO_LABELS", f"{message} {_IMPORT_FIRST}") from error
    raise _refused(error) from error


def _raise_refusal(error: Exception) -> None:
    """Raise Refused if Glue refuses a look-up permanently, and knows what was looked up."""
    if not isinstance(error, ClientError) or _code(error) == UNKNOWN_TRANSFORM_CODE:
        return
    is_glues = not _code(error).isdigit()
    if is_glues and not is_passing(_code(error), _http_status(error)):
        raise _refused(error) from error


def _raise_lookup_error(error: Exception) -> Never:
    if isinstance(error, ClientError) and _code(error) == UNKNOWN_TRANSFORM_CODE:
        raise NotFoundInGlue(_message(error)) from error
    raise GlueUnavailable(str(error)) from error


def _refused(error: ClientError) -> Refused:
    return Refused(_code(error), f"{_message(error)}{missing_right(_code(error), error.operation_name)}")


def _http_status(error: ClientError) -> int:
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", _MIN_SERVER_ERROR_STATUS)


def _code(error: ClientError) -> str:
    return error.response["Error"].get("Code", "")


def _message(error: ClientError) -> str:
    return error.response["Error"].get("Message", "")
