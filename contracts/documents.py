"""The generated files of docs/api: what they are and what they hold."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contracts import api_page, asyncapi, schema_registry
from contracts.event_schemas import COMMANDS, command_schema, event_schema
from core.events import DetailType
from handlers.api import build_full_app
from handlers.rest.openapi import openapi_json

FOLDER = Path(__file__).parents[1] / "docs" / "api"
OPENAPI_PATH = FOLDER / "openapi.json"


def openapi_text() -> str:
    """The OpenAPI document as it is served, indented."""
    return _indented(json.loads(openapi_json(build_full_app())))


def generated_files() -> Mapping[Path, str]:
    """Every generated file with its text."""
    openapi, events = json.loads(openapi_json(build_full_app())), asyncapi.document()
    schemas = {str(type_): event_schema(type_) for type_ in DetailType} | {name: command_schema(name) for name in COMMANDS}
    return {
        OPENAPI_PATH: openapi_text(),
        FOLDER / "index.html": api_page.page(openapi, events),
        FOLDER / "asyncapi.json": _indented(events),
        FOLDER / "schemas.template.json": _indented(schema_registry.template()),
        **{FOLDER / "schemas" / f"{name}.json": _indented(schema) for name, schema in schemas.items()},
    }


def _indented(document: Any) -> str:  # noqa: ANN401  any JSON
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
