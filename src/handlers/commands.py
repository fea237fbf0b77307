"""EventBridge events as commands to start a run: commands of other applications, and uploads of label files."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from core.errors import FieldError, InvalidRequest
from core.events import SOURCE
from core.paths import MAX_LENGTH, AllowedPrefixes, transform_id_of_upload
from core.refuse_command import RefusedCommand
from core.requests import (
    TRANSFORM_ID,
    EvaluationRequest,
    LabelExportRequest,
    LabelImportRequest,
    LabelingSetRequest,
    StartCommand,
    StartRequest,
)
from core.runs import TaskType
from handlers.callers import event_caller, upload_caller
from handlers.rest.idempotency_key import KEY_PATTERN, KEY_RULE
from handlers.validation import field_errors, json_pointer

UPLOAD = "Object Created"
_REQUESTS: dict[str, tuple[type[StartRequest], TaskType]] = {
    "StartLabelingSetRun": (LabelingSetRequest, TaskType.LABELING_SET_GENERATION),
    "StartLabelImportRun": (LabelImportRequest, TaskType.IMPORT_LABELS),
    "StartEvaluationRun": (EvaluationRequest, TaskType.EVALUATION),
    "StartLabelExportRun": (LabelExportRequest, TaskType.EXPORT_LABELS),
}


def read_command(event: dict[str, Any], allowed: AllowedPrefixes) -> StartCommand | None:
    """The command in `event`; None for an event of this service, and for an upload that is none of its business.

    That is one outside the allowed prefixes, or one that is not a label file of a transform.

    Raises InvalidRequest if the command is malformed, ValueError if the event is of another type.
    """
    detail_type = event.get("detail-type")
    if event.get("source") == SOURCE:
        return None
    if detail_type == UPLOAD:
        return _read_upload(event, allowed)
    if detail_type not in _REQUESTS:
        raise ValueError(f"not a command: {detail_type!r}")
    detail = dict(_unicode_detail(event))
    key = detail.pop("idempotencyKey", None)
    if key is None:
        key = event["id"]
    if not isinstance(key, str) or not re.fullmatch(KEY_PATTERN, key):
        raise InvalidRequest(FieldError("#/idempotencyKey", KEY_RULE))
    try:
        request = _REQUESTS[detail_type][0].model_validate(detail)
    except ValidationError as error:
        raise InvalidRequest(*field_errors(error.errors())) from error
    return _command(event, event_caller(event), key, request)


def refused_command(event: dict[str, Any], code: str, errors: tuple[FieldError, ...]) -> RefusedCommand:
    """What can be recorded of a command that cannot be carried out: each field of `event` that is readable, and why."""
    event = json.loads(_json_bytes(event))
    detail_type = event["detail-type"]
    detail = event["detail"] if isinstance(event.get("detail"), dict) else {}
    path: Any
    transform_id: Any
    if detail_type == UPLOAD:
        caller, task_type = upload_caller(_text(detail, "bucket", "name")), TaskType.IMPORT_LABELS
        path = _upload_path(detail)
        transform_id = transform_id_of_upload(_text(detail, "object", "key"))
    else:
        caller, task_type = event_caller(event), _REQUESTS[detail_type][1]
        path = detail.get("outputS3Path") or detail.get("inputS3Path")
        transform_id = detail.get("transformId")
    is_transform_id = isinstance(transform_id, str) and re.fullmatch(TRANSFORM_ID, transform_id)
    return RefusedCommand(
        caller=caller,
        task_type=task_type,
        transform_id=transform_id if is_transform_id else None,
        path=path[:MAX_LENGTH] if isinstance(path, str) else None,
        code=code,
        errors=errors,
        correlation_id=event["id"],
        causation_id=event["id"],
    )


def _read_upload(event: dict[str, Any], allowed: AllowedPrefixes) -> StartCommand | None:
    detail = _unicode_detail(event)
    bucket, key = _text(detail, "bucket", "name"), _text(detail, "object", "key")
    transform_id = transform_id_of_upload(key)
    if bucket and key and (transform_id is None or not allowed.allow(_upload_path(detail))):
        return None
    version, event_version = _versions(detail)
    missing = [
        FieldError(pointer, "is required")
        for pointer, value in {"#/bucket/name": bucket, "#/object/key": key, "#/object/etag": event_version}.items()
        if not value
    ]
    if missing:
        raise InvalidRequest(*missing)
    try:
        request = LabelImportRequest.model_validate({"transformId": transform_id, "inputS3Path": _upload_path(detail)})
    except ValidationError as error:
        raise InvalidRequest(*field_errors(error.errors())) from error
    command = _command(event, upload_caller(bucket), f"{bucket}/{key}/{event_version}", request)
    return command._replace(file_version=version)


def _versions(detail: dict[str, Any]) -> tuple[str, str]:
    """What S3 may call the version of the uploaded object (core.runs.Run), and what tells its event from others.

    ETags are quoted in S3's responses and bare in its events. "null" is the id of each version that is written while versioning
    is suspended.
    """
    version_id = _text(detail, "object", "version-id").removeprefix("null")
    etag = _text(detail, "object", "etag") or _text(detail, "object", "eTag")
    event_version = version_id or (f"{etag}/{_text(detail, 'object', 'sequencer')}" if etag else "")
    return " ".join(filter(None, (version_id, f'"{etag}"' if etag else ""))), event_version


def _upload_path(detail: dict[str, Any]) -> str:
    return f"s3://{_text(detail, 'bucket', 'name')}/{_text(detail, 'object', 'key')}"


def _unicode_detail(event: dict[str, Any]) -> dict[str, Any]:
    """The detail of the event. Raises InvalidRequest if it is no object, or has text that is not Unicode."""
    detail = event.get("detail")
    if not isinstance(detail, dict):
        raise InvalidRequest(FieldError("#", "the event's detail must be an object"))
    errors = [FieldError(json_pointer(location), "is not valid Unicode") for location in _half_characters(detail)]
    if not _is_unicode(str(event.get("source"))):
        errors.append(FieldError("#", "the event's source is not valid Unicode"))
    if errors:
        raise InvalidRequest(*errors)
    return detail


def _half_characters(part: object, location: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where `part` has one half of a surrogate pair: JSON can express it, neither DynamoDB nor S3 takes it."""
    if isinstance(part, str):
        if not _is_unicode(part):
            yield location
    elif isinstance(part, dict):
        for name, value in part.items():
            yield from _half_characters(value, (*location, name)) if _is_unicode(name) else iter((location,))
    elif isinstance(part, list):
        for number, value in enumerate(part):
            yield from _half_characters(value, (*location, number))


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _json_bytes(event: dict[str, Any]) -> bytes:
    """The event with a question mark for each character that is not Unicode, so that it can be recorded."""
    return json.dumps(event, ensure_ascii=False).encode(errors="replace")


def _text(detail: dict[str, Any], part: str, name: str) -> str:
    """The text `detail[part][name]`; empty if it is missing or not a text."""
    members = detail.get(part)
    value = members.get(name) if isinstance(members, dict) else None
    return value if isinstance(value, str) else ""


def _command(event: dict[str, Any], caller: str, key: str, request: StartRequest) -> StartCommand:
    id_ = event["id"]
    return StartCommand(caller=caller, key=key, request=request, sent_on=_sent_on(event), correlation_id=id_, causation_id=id_)


def _sent_on(event: dict[str, Any]) -> datetime | None:
    """When the event was put on the bus; None if it does not say so in a form with a time zone."""
    with suppress(KeyError, TypeError, ValueError):
        time = datetime.fromisoformat(event["time"])
        return time if time.tzinfo is not None else None
    return None
