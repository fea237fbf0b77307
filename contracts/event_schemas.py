"""A JSON Schema for each event and each command, from the models that the code writes and reads."""

from typing import Any

from pydantic import BaseModel

from core.events import SOURCE, Detail, DetailType, SubmissionDetail
from core.requests import EvaluationRequest, LabelExportRequest, LabelImportRequest, LabelingSetRequest
from handlers.rest.idempotency_key import KEY_PATTERN

DIALECT = "https://json-schema.org/draft/2020-12/schema"
COMMANDS: dict[str, type[BaseModel]] = {
    "StartLabelingSetRun": LabelingSetRequest,
    "StartLabelImportRun": LabelImportRequest,
    "StartEvaluationRun": EvaluationRequest,
    "StartLabelExportRun": LabelExportRequest,
}
EVENT_DESCRIPTIONS = {
    DetailType.STARTED: "Glue has started the task run.",
    DetailType.SUCCEEDED: (
        "The task run succeeded: its file is under `outputS3Path`, its labels are imported, or its evaluation is done."
    ),
    DetailType.FAILED: "The task run failed in Glue; `error` has Glue's reason.",
    DetailType.STOPPED: "The task run was stopped in Glue.",
    DetailType.TIMED_OUT: "The task run timed out in Glue.",
    DetailType.REFUSED: "This service or Glue refused the request; `error` has the reason.",
    DetailType.START_FAILED: "The task run could not be started before its start deadline.",
    DetailType.CANCELLED: "The task run was cancelled before it was started in Glue.",
    DetailType.LOST: "Glue no longer knows the task run.",
    DetailType.LABELS_SUBMITTED: (
        "A person has submitted the labels of a labeling set; their import is the task run `importRunId`, which has events of "
        "its own."
    ),
}
COMMAND_DESCRIPTION = "Starts a task run, exactly once per idempotency key."
KEY = {
    "type": "string",
    "pattern": KEY_PATTERN,
    "description": "A name that you choose for the run, one per run that you want. The default is the event's own `id`.",
}


def event_schema(detail_type: DetailType) -> dict[str, Any]:
    """The schema of an event of this service in EventBridge's envelope. It allows members that it does not name."""
    model = SubmissionDetail if detail_type is DetailType.LABELS_SUBMITTED else Detail
    detail = model.model_json_schema(mode="serialization")
    return _envelope(detail_type, EVENT_DESCRIPTIONS[detail_type], {"const": SOURCE}, detail)


def command_schema(detail_type: str) -> dict[str, Any]:
    """The schema of a command, in EventBridge's envelope."""
    detail = COMMANDS[detail_type].model_json_schema()
    detail["properties"]["idempotencyKey"] = KEY
    return _envelope(detail_type, f"{COMMAND_DESCRIPTION} {detail['description']}", {"type": "string"}, detail)


def _envelope(detail_type: str, description: str, source: dict[str, Any], detail: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html"""
    definitions = detail.pop("$defs", {})
    text = {"type": "string"}
    properties = {
        "version": text,
        "id": text,
        "detail-type": {"const": str(detail_type)},
        "source": source,
        "account": text,
        "time": text | {"format": "date-time"},
        "region": text,
        "resources": {"type": "array", "items": text, "description": "The ARN of the transform, if it is known."},
        "detail": detail,
    }
    return {
        "$schema": DIALECT,
        "title": str(detail_type),
        "description": description,
        "type": "object",
        "required": ["detail-type", "source", "detail"],
        "properties": properties,
    } | ({"$defs": definitions} if definitions else {})


def to_draft_4(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema in JSON Schema draft 4, the dialect of EventBridge's registry."""
    older: dict[str, Any] = _to_draft_4(schema)
    return older | {"$schema": "http://json-schema.org/draft-04/schema#"}


def _to_draft_4(part: Any) -> Any:  # noqa: ANN401  JSON
    match part:
        case {"const": value}:
            return {"enum": [value]}
        case dict():
            return {"definitions" if name == "$defs" else name: _to_draft_4(value) for name, value in part.items()}
        case list():
            return [_to_draft_4(item) for item in part]
        case _:
            return with_references(part, "#/definitions/")


def with_references(part: Any, definitions: str) -> Any:  # noqa: ANN401  JSON
    """`part` of a schema, whose references to `$defs` lead to `definitions` instead."""
    match part:
        case dict():
            return {name: with_references(value, definitions) for name, value in part.items()}
        case list():
            return [with_references(item, definitions) for item in part]
        case str():
            return part.replace("#/$defs/", definitions)
        case _:
            return part
