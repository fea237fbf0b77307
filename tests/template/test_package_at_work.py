"""A function on the packages as they are deployed: it starts a run, and comes to nothing that was put off."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.running import EVENT, canned_aws, environment
from ops.package.spared import WAIT
from tests.template.spared import ROOT, home, spared_packages, told_by

# Prints what was imported for the first start and its replay, by way of what Lambda would call.
START = """
import json, sys
from pathlib import Path
from driver import main
before = set(sys.modules)
main("handlers.api.handler", 1, 1, Path(json.load(sys.stdin)))
print(json.dumps(sorted(set(sys.modules) - before)))
"""


@pytest.fixture
def settings(template: dict[str, Any]) -> dict[str, str]:
    """What the template sets, whatever its parameters."""
    variables = template["Globals"]["Function"]["Environment"]["Variables"]
    return {name: value for name, value in variables.items() if isinstance(value, str)}


def imported(packages: Path | None, settings: dict[str, str]) -> set[str]:
    with canned_aws() as aws:
        return set(told_by(START, str(EVENT), packages=packages, **(environment(aws) | settings)))


def put_off(modules: set[str]) -> set[str]:
    return {wait for wait in WAIT if any(f"{module}.".startswith(f"{wait}.") for module in modules)}


def test_a_start_comes_to_nothing_that_was_put_off(packages: Path, settings: dict[str, str]) -> None:
    modules = imported(packages, settings)
    assert {"handlers.api", "botocore.docs.docstring", "pydantic.main", "urllib3.connectionpool"} <= modules
    assert put_off(modules) == set()


def test_all_of_it_would_be_imported_otherwise(settings: dict[str, str]) -> None:
    assert put_off(imported(None, settings)) == set(WAIT)


def test_the_whole_loop_runs_on_them(tmp_path: Path) -> None:
    """Starts, imports, look-ups, cancellations, rounds: the scenes of tests/contract, on the packages as they are deployed."""
    whole = spared_packages(tmp_path, home("botocore") / "data")  # moto answers with what our own code never asks for
    scenes = ["tests/contract/test_slim_models_in_use.py", "tests/contract/test_files_contract.py"]
    path = ":".join(map(str, (whole, ROOT / "src", ROOT)))
    done = subprocess.run(  # noqa: S603  our own words
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *scenes],
        env=os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    assert "passed" in done.stdout
