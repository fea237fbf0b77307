"""What an event from EventBridge asks for."""

import re
from typing import Any

from pydantic import ValidationError

from core.errors import FieldError, InvalidRequest
from core.events import SOURCE
from core.paths import transform_of_upload
from core.refuse_command import BadCommand
from core.requests import LabelImportRequest, LabelingSetRequest, StartCommand
from core.runs import TaskType
from handlers.callers import event_caller, upload_caller
from handlers.rest.problems import field_errors

UPLOAD = "Object Created"
_REQUESTS: dict[str, tuple[type[LabelingSetRequest | LabelImportRequest], TaskType]] = {
    "StartLabelingSetRun": (LabelingSetRequest, TaskType.LABELING_SET_GENERATION),
    "StartLabelImportRun": (LabelImportRequest, TaskType.IMPORT_LABELS),
}
_TRANSFORM_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,254}")
_KEY = re.compile(r"[!-~]{1,255}")
_MAX_PATH = 1024


def read_event(event: dict[str, Any]) -> StartCommand | None:
    """The order in `event`; None for an upload that is no label file of a transform, and for an event of our own.

    Raises InvalidRequest on a command that is malformed, and ValueError on an event that is no command at all.
    """
    kind = event.get("detail-type")
    if event.get("source") == SOURCE:
        return None
    if kind == UPLOAD:
        return _upload(event)
    if kind not in _REQUESTS:
        raise ValueError(f"no command: {kind!r}")
    detail = dict(_detail(event))
    key = detail.pop("idempotencyKey", None)
    if key is None:
        key = event["id"]
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise InvalidRequest(FieldError("#/idempotencyKey", "must be 1 to 255 visible ASCII characters"))
    try:
        request = _REQUESTS[kind][0].model_validate(detail)
    except ValidationError as error:
        raise InvalidRequest(*field_errors(error.errors())) from error
    return StartCommand(caller=event_caller(event), key=key, request=request, **_trace(event))


def as_bad_command(event: dict[str, Any], code: str, errors: tuple[FieldError, ...]) -> BadCommand:
    """What can be said of a command that can't be carried out."""
    kind = event["detail-type"]
    detail = event.get("detail")
    said = detail if isinstance(detail, dict) else {}
    if kind == UPLOAD:
        path: Any = _upload_path(said)
        caller, task_type = upload_caller(_text(said, "bucket", "name")), TaskType.IMPORT_LABELS
        transform_id: Any = transform_of_upload(_text(said, "object", "key"))
    else:
        caller, task_type = event_caller(event), _REQUESTS[kind][1]
        path = said.get("outputS3Path") or said.get("inputS3Path")
        transform_id = said.get("transformId")
    known = isinstance(transform_id, str) and _TRANSFORM_ID.fullmatch(transform_id)
    return BadCommand(
        caller=caller,
        task_type=task_type,
        transform_id=transform_id if known else None,
        path=path[:_MAX_PATH] if isinstance(path, str) else None,
        code=code,
        errors=errors,
        **_trace(event),
    )


def _upload(event: dict[str, Any]) -> StartCommand | None:
    detail = _detail(event)
    bucket, key = _text(detail, "bucket", "name"), _text(detail, "object", "key")
    version = _text(detail, "object", "version-id")
    if version in ("", "null"):  # S3's name for every version while versioning is suspended
        version = _etag_and_sequencer(detail)
    missing = [
        FieldError(pointer, "is required")
        for pointer, value in {"#/bucket/name": bucket, "#/object/key": key, "#/object/etag": version}.items()
        if not value
    ]
    if missing:
        raise InvalidRequest(*missing)
    transform_id = transform_of_upload(key)
    if transform_id is None:
        return None
    try:
        request = LabelImportRequest(transform_id=transform_id, input_s3_path=_upload_path(detail))
    except ValidationError as error:
        raise InvalidRequest(*field_errors(error.errors())) from error
    return StartCommand(caller=upload_caller(bucket), key=f"{bucket}/{key}/{version}", request=request, **_trace(event))


def _etag_and_sequencer(detail: dict[str, Any]) -> str:
    etag = _text(detail, "object", "etag") or _text(detail, "object", "eTag")
    return f"{etag}/{_text(detail, 'object', 'sequencer')}" if etag else ""


def _upload_path(detail: dict[str, Any]) -> str:
    return f"s3://{_text(detail, 'bucket', 'name')}/{_text(detail, 'object', 'key')}"


def _detail(event: dict[str, Any]) -> dict[str, Any]:
    detail = event.get("detail")
    if not isinstance(detail, dict):
        raise InvalidRequest(FieldError("#", "the event's detail must be an object"))
    return detail


def _text(detail: dict[str, Any], part: str, name: str) -> str:
    inner = detail.get(part)
    value = inner.get(name) if isinstance(inner, dict) else None
    return value if isinstance(value, str) else ""


def _trace(event: dict[str, Any]) -> dict[str, str]:
    return {"correlation_id": event["id"], "causation_id": event["id"]}
