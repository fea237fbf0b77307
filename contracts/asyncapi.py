"""The events and commands as an AsyncAPI 3 document."""

from typing import Any

from contracts.event_schemas import COMMANDS, EVENT_DESCRIPTIONS, command_schema, event_schema, with_references
from core.events import SOURCE, VERSION, DetailType
from handlers.rest.examples import TASK_RUN_ID
from handlers.rest.routes import task_run_path


def document() -> dict[str, Any]:
    """One channel, the bus, with every event that this service sends and every command that it receives."""
    events = {str(type_): _message(str(type_), EVENT_DESCRIPTIONS[type_], event_schema(type_)) for type_ in DetailType}
    schemas = {name: command_schema(name) for name in COMMANDS}
    commands = {name: _message(name, schema["description"], schema) for name, schema in schemas.items()}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "tags": [{"name": "task runs"}],
            "title": "Glue Label Loop events",
            "version": VERSION,
            "license": {"name": "MIT", "url": "https://opensource.org/license/mit"},
            "description": f"The messages on the stack's EventBridge bus. Events have the source `{SOURCE}` and are "
            "delivered at least once; a repeat has the same `detail.metadata.eventId`. Fields, and values of `taskType`, may "
            "be added within a version: ignore those that you do not know. "
            "`detail.data` is the task run, or of `LabelsSubmitted` what was submitted; by its `id` or `importRunId` it can be "
            f"read at `{task_run_path(TASK_RUN_ID)}`.",
        },
        "defaultContentType": "application/json",
        "channels": {
            "bus": {
                "address": "{busName}",
                "description": "The EventBridge bus in the stack's output EventBusName.",
                "parameters": {
                    "busName": {
                        "description": "The value of the stack's output EventBusName.",
                        "examples": ["glue-label-loop-bus"],
                    }
                },
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in [*events, *commands]},
            }
        },
        "operations": {
            **{f"send{name}": _operation("send", message) for name, message in events.items()},
            **{f"receive{name}": _operation("receive", message) for name, message in commands.items()},
        },
        "components": {"messages": events | commands},
    }


def _message(name: str, summary: str, schema: dict[str, Any]) -> dict[str, Any]:
    definitions = f"#/components/messages/{name}/payload/schema/$defs/"
    payload = {key: with_references(value, definitions) for key, value in schema.items() if key != "$schema"}
    dialect = "application/schema+json;version=draft-2020-12"
    return {"name": name, "title": name, "summary": summary, "payload": {"schemaFormat": dialect, "schema": payload}}


def _operation(action: str, message: dict[str, Any]) -> dict[str, Any]:
    name = message["name"]
    return {
        "action": action,
        "description": message["summary"],
        "channel": {"$ref": "#/channels/bus"},
        "messages": [{"$ref": f"#/channels/bus/messages/{name}"}],
    }
