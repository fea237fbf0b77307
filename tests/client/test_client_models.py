"""The client's types follow the OpenAPI document."""

import dataclasses
import json
import re
import types
import typing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from label_loop.models import RunError, TaskRun

DOCUMENT = json.loads((Path(__file__).parents[2] / "docs" / "api" / "openapi.json").read_text())
SCHEMAS = DOCUMENT["components"]["schemas"]
MODELS = {"TaskRun": TaskRun}
NOT_IN_THE_CLIENT = {"requestedBySession"}  # for audit; `json` has it


def _camel(name: str) -> str:
    return re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), name)


def _json_types(schema: dict[str, Any]) -> set[str]:
    if "$ref" in schema:
        return _json_types(SCHEMAS[schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        return set().union(*(_json_types(option) for option in schema["anyOf"]))
    return {schema["type"]}


def _python_types(annotation: object) -> set[str]:
    if isinstance(annotation, types.UnionType):
        return set().union(*(_python_types(option) for option in typing.get_args(annotation)))
    names: dict[object, str] = {
        str: "string",
        bool: "boolean",
        int: "integer",
        datetime: "string",
        RunError: "object",
        type(None): "null",
    }
    return {names.get(annotation, "object")}


@pytest.mark.parametrize("name", MODELS)
def test_fields_are_those_of_the_schema(name: str) -> None:
    fields = {_camel(field.name) for field in dataclasses.fields(MODELS[name])} - {"json"}
    described = set(SCHEMAS[name]["properties"]) - NOT_IN_THE_CLIENT
    assert described - fields == set()


@pytest.mark.parametrize("name", MODELS)
def test_types_are_those_of_the_schema(name: str) -> None:
    hints = typing.get_type_hints(MODELS[name])
    for field in dataclasses.fields(MODELS[name]):
        schema = SCHEMAS[name]["properties"].get(_camel(field.name))
        if schema is not None:
            assert _json_types(schema) - {"null"} == _python_types(hints[field.name]) - {"null"}, field.name
            assert "null" not in _json_types(schema) or "null" in _python_types(hints[field.name]), field.name
