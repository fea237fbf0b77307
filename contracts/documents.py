"""`python -m contracts`: write what docs/api says of the API and the events, or check (--check) that it is up to date."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from contracts import asyncapi, schema_registry
from contracts.event_schemas import COMMANDS, command, event
from core.events import DetailType
from handlers.api import build_app
from handlers.rest.openapi import openapi_json

FOLDER = Path(__file__).parents[1] / "docs" / "api"
PATH = FOLDER / "openapi.json"


def generated() -> str:
    """The API's description as it is served, laid out for people."""
    return _laid_out(json.loads(openapi_json(build_app())))


def everything() -> Mapping[Path, str]:
    """All generated files, with what they should hold."""
    schemas = {str(kind): event(kind) for kind in DetailType} | {kind: command(kind) for kind in COMMANDS}
    return {
        PATH: generated(),
        FOLDER / "asyncapi.json": _laid_out(asyncapi.document()),
        FOLDER / "schemas.template.json": _laid_out(schema_registry.template()),
        **{FOLDER / "schemas" / f"{name}.json": _laid_out(schema) for name, schema in schemas.items()},
    }


def _laid_out(document: Any) -> str:  # noqa: ANN401  any JSON
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
