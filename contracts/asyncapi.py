"""The events in and out as an AsyncAPI 3 document."""

from typing import Any

from contracts.event_schemas import COMMANDS, TELLS, command, event
from core.events import SOURCE, VERSION, DetailType
from handlers.rest.examples import TASK_RUN_ID


def document() -> dict[str, Any]:
    """One bus, nine events that this service sends, two commands that it takes."""
    sent = {str(kind): _message(str(kind), TELLS[kind], event(kind)) for kind in DetailType}
    taken = {kind: _message(kind, command(kind)["description"], command(kind)) for kind in COMMANDS}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "tags": [{"name": "task runs"}],
            "title": "Glue Label Loop events",
            "version": VERSION,
            "description": f"What goes over the stack's EventBridge bus. Events come at least once, from source `{SOURCE}`; "
            f"a repeat has the same `detail.metadata.eventId`. Members may be added within a version: let pass what you do "
            f"not know. A run is named by `detail.data.id`, as in `/v1/task-runs/{TASK_RUN_ID}`.",
        },
        "defaultContentType": "application/json",
        "channels": {
            "bus": {
                "address": "{busName}",
                "description": "The EventBridge bus that the stack's output EventBusName names.",
                "parameters": {"busName": {"description": "As in the stack's output.", "examples": ["glue-label-loop-bus"]}},
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in [*sent, *taken]},
            }
        },
        "operations": {
            **{f"send{name}": _operation("send", message) for name, message in sent.items()},
            **{f"receive{name}": _operation("receive", message) for name, message in taken.items()},
        },
        "components": {"messages": sent | taken},
    }


def _message(name: str, summary: str, schema: dict[str, Any]) -> dict[str, Any]:
    dialect = "application/schema+json;version=draft-2020-12"
    own = {key: value for key, value in schema.items() if key != "$schema"}
    return {"name": name, "title": name, "summary": summary, "payload": {"schemaFormat": dialect, "schema": _at(own, name)}}


def _at(schema: dict[str, Any], name: str) -> dict[str, Any]:
    """The schema with references that lead on inside the whole document."""
    here = f"#/components/messages/{name}/payload/schema/$defs/"
    return {key: _moved(value, here) for key, value in schema.items()}


def _moved(part: Any, here: str) -> Any:  # noqa: ANN401  any JSON
    match part:
        case dict():
            return {key: _moved(value, here) for key, value in part.items()}
        case list():
            return [_moved(one, here) for one in part]
        case str():
            return part.replace("#/$defs/", here)
        case _:
            return part


def _operation(action: str, message: dict[str, Any]) -> dict[str, Any]:
    name = message["name"]
    return {
        "action": action,
        "description": message["summary"],
        "channel": {"$ref": "#/channels/bus"},
        "messages": [{"$ref": f"#/channels/bus/messages/{name}"}],
    }
