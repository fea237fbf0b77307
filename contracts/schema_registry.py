"""The events' schemas as EventBridge's registry takes them: a stack of its own, nested in template.yaml."""

import json
from typing import Any

from contracts.event_schemas import COMMANDS, TELLS, as_draft_4, command, event
from core.events import DetailType


def template() -> dict[str, Any]:
    registry = {"Description": {"Fn::Sub": "Events of ${Stack}"}, "RegistryName": {"Ref": "Stack"}}
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Glue Label Loop - schemas of its events; generated, see make openapi",
        "Parameters": {"Stack": {"Type": "String", "Description": "The stack whose events these are; names the registry"}},
        "Resources": {
            "Registry": {"Type": "AWS::EventSchemas::Registry", "Properties": registry},
            **{str(kind): _schema(str(kind), TELLS[kind], event(kind)) for kind in DetailType},
            **{kind: _schema(kind, "Asks for a task run.", command(kind)) for kind in COMMANDS},
        },
    }


def _schema(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {
        "Type": "AWS::EventSchemas::Schema",
        "Properties": {
            "RegistryName": {"Fn::GetAtt": ["Registry", "RegistryName"]},
            "SchemaName": name,
            "Type": "JSONSchemaDraft4",
            "Description": description,
            "Content": json.dumps(as_draft_4(schema), separators=(",", ":")),
        },
    }
