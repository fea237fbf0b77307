"""`python -m local.openapi`: write the API's description to docs/api/openapi.json, or check (--check) that it is up to date."""

import argparse
import json
import sys
from pathlib import Path

from handlers.api import build_app
from handlers.openapi import openapi_json

PATH = Path(__file__).parents[1] / "docs" / "api" / "openapi.json"


def generated() -> str:
    """The description as the API serves it, laid out for people."""
    return json.dumps(json.loads(openapi_json(build_app())), indent=2, ensure_ascii=False) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.openapi", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the file is not what the code says")
    if parser.parse_args().check:
        return _check()
    PATH.parent.mkdir(parents=True, exist_ok=True)
    PATH.write_text(generated())
    return 0


def _check() -> int:
    if PATH.exists() and PATH.read_text() == generated():
        return 0
    sys.stderr.write(f"{PATH} is out of date: run python -m local.openapi\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
