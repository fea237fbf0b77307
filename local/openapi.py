"""`python -m local.openapi`: write what docs/api says of the API and the events, or check (--check) that it is up to date."""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from core.events import DetailType
from handlers.api import build_app
from handlers.openapi import openapi_json
from local import asyncapi, schema_registry
from local.event_schemas import COMMANDS, command, event

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


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.openapi", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a file is not what the code says")
    if parser.parse_args().check:
        return _check()
    for path, text in everything().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return 0


def _check() -> int:
    drifted = [path for path, text in everything().items() if not path.exists() or path.read_text() != text]
    for path in drifted:
        sys.stderr.write(f"{path} is out of date: run make openapi\n")
    return 1 if drifted else 0


def _laid_out(document: Any) -> str:  # noqa: ANN401  any JSON
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.exit(main())
