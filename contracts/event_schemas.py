"""A JSON Schema for each event that goes out and each command that comes in, from the models that the code reads and writes."""

from typing import Any

from pydantic import BaseModel

from core.events import SOURCE, Detail, DetailType
from core.requests import LabelImportRequest, LabelingSetRequest

DIALECT = "https://json-schema.org/draft/2020-12/schema"
COMMANDS: dict[str, type[BaseModel]] = {
    "StartLabelingSetRun": LabelingSetRequest,
    "StartLabelImportRun": LabelImportRequest,
}
TELLS = {
    DetailType.STARTED: "Glue has started the task run.",
    DetailType.SUCCEEDED: "The task run succeeded: its labeling set lies under `outputS3Path`, or its labels are imported.",
    DetailType.FAILED: "The task run failed in Glue; `error` has Glue's reason.",
    DetailType.STOPPED: "The task run was stopped in Glue.",
    DetailType.TIMED_OUT: "The task run timed out in Glue.",
    DetailType.REFUSED: "The request was refused for good, by this service or by Glue; `error` says why.",
    DetailType.START_FAILED: "The task run could not be started before its start deadline.",
    DetailType.CANCELLED: "The request was cancelled before Glue was asked.",
    DetailType.LOST: "Glue no longer knows the task run.",
}
KEY = {
    "type": "string",
    "pattern": "^[!-~]{1,255}$",
    "description": "Yours to choose, one per run that you want; without it, the event's own `id` is the key.",
}


def event(kind: DetailType) -> dict[str, Any]:
    """The schema of an event of ours, in EventBridge's envelope. Consumers let members pass that it does not name."""
    return _envelope(kind, TELLS[kind], {"const": SOURCE}, Detail.model_json_schema(mode="serialization"))


def command(kind: str) -> dict[str, Any]:
    """The schema of an event that asks for a run."""
    detail = COMMANDS[kind].model_json_schema()
    detail["properties"]["idempotencyKey"] = KEY
    return _envelope(kind, f"Asks for a task run, exactly once per key. {detail['description']}", {"type": "string"}, detail)


def _envelope(kind: str, description: str, source: dict[str, Any], detail: dict[str, Any]) -> dict[str, Any]:
    """https://docs.aws.amazon.com/eventbridge/latest/ref/overiew-event-structure.html"""
    definitions = detail.pop("$defs", {})
    text = {"type": "string"}
    properties = {
        "version": text,
        "id": text,
        "detail-type": {"const": str(kind)},
        "source": source,
        "account": text,
        "time": text | {"format": "date-time"},
        "region": text,
        "resources": {"type": "array", "items": text, "description": "The transform's ARN, where there is one."},
        "detail": detail,
    }
    return {
        "$schema": DIALECT,
        "title": str(kind),
        "description": description,
        "type": "object",
        "required": ["detail-type", "source", "detail"],
        "properties": properties,
    } | ({"$defs": definitions} if definitions else {})


def as_draft_4(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema in the older words that EventBridge's registry takes."""
    older: dict[str, Any] = _older(schema)
    return older | {"$schema": "http://json-schema.org/draft-04/schema#"}


def _older(part: Any) -> Any:  # noqa: ANN401  any JSON
    match part:
        case {"const": only}:
            return {"enum": [only]}
        case dict():
            return {"definitions" if name == "$defs" else name: _older(value) for name, value in part.items()}
        case list():
            return [_older(one) for one in part]
        case str():
            return part.replace("#/$defs/", "#/definitions/")
        case _:
            return part
