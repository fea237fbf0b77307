"""Powertools' fronts on demand: each name is what it was, and nothing is imported for names that nobody asks for."""

import importlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import aws_lambda_powertools
import pytest

from ops.package.contents import NEVER_LOADED
from ops.package.fronts import on_demand

POWERTOOLS = Path(aws_lambda_powertools.__file__).parent
# Prints what each name of each package is, and what was imported before that.
LOOK = """
import importlib, json, sys
import aws_lambda_powertools.event_handler.api_gateway
before = sorted(sys.modules)
told = {}
for package in json.loads(sys.argv[1]):
    front = importlib.import_module(package)
    told[package] = {name: repr(getattr(front, name)) for name in front.__all__}
print(json.dumps({"before": before, "told": told}))
"""


@pytest.fixture(scope="module")
def rewritten(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of Powertools as it is deployed."""
    folder = tmp_path_factory.mktemp("packages")
    shutil.copytree(POWERTOOLS, folder / POWERTOOLS.name, ignore=shutil.ignore_patterns("__pycache__"))
    for package, source in fronts().items():
        (folder / package.replace(".", "/") / "__init__.py").write_text(source)
    return folder


def fronts() -> dict[str, str]:
    found = {}
    for front in POWERTOOLS.rglob("__init__.py"):
        path = front.parent.relative_to(POWERTOOLS.parent)
        package = ".".join(path.parts)
        left_out = any(f"{path}/".startswith(f"{out}/") for out in NEVER_LOADED)
        if not left_out and (source := on_demand(front, package)):
            found[package] = source
    return found


def looked_at(folder: Path, packages: list[str]) -> Any:  # noqa: ANN401  JSON
    command = [sys.executable, "-c", LOOK, json.dumps(packages)]
    done = subprocess.run(command, env={"PYTHONPATH": str(folder)}, capture_output=True, text=True, check=True)  # noqa: S603  our own words
    return json.loads(done.stdout)


def test_every_name_is_what_it_was(rewritten: Path) -> None:
    packages = [name for name in sorted(fronts()) if hasattr(importlib.import_module(name), "__all__")]
    assert {"aws_lambda_powertools.event_handler", "aws_lambda_powertools.utilities.data_classes"} <= set(packages)
    as_it_was = looked_at(POWERTOOLS.parent, packages)["told"]
    assert {name: _unmoved(told) for name, told in looked_at(rewritten, packages)["told"].items()} == {
        name: _unmoved(told) for name, told in as_it_was.items()
    }


def test_nothing_is_imported_that_nobody_asked_for(rewritten: Path) -> None:
    before = set(looked_at(rewritten, [])["before"])
    assert "aws_lambda_powertools.event_handler.api_gateway" in before
    assert not {"aws_lambda_powertools.event_handler.appsync", "asyncio"} & before


def front_of(folder: Path, source: str) -> str | None:
    (folder / "two.py").write_text("one = two = 1")
    front = folder / "__init__.py"
    front.write_text(source)
    return on_demand(front, "package")


def test_a_front_that_does_anything_besides_stays_as_it_is(tmp_path: Path) -> None:
    assert front_of(tmp_path, "from package.two import one\nprint()") is None
    assert front_of(tmp_path, "from package.two import *") is None
    assert front_of(tmp_path, "import os\nfrom package.two import one") is None


def test_a_name_that_is_a_modules_too_is_imported_at_once(tmp_path: Path) -> None:
    source = front_of(tmp_path, "from .two import one\nfrom package.two import two")
    assert source is not None
    assert "from package.two import two" in source
    assert "'one': ('package.two', 'one')" in source
    assert "from .two import one" not in source


def _unmoved(told: dict[str, str]) -> dict[str, str]:
    """Without the addresses of functions."""
    return {name: text.split(" at 0x")[0] for name, text in told.items()}
