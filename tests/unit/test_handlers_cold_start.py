"""Importing a handler changes nothing in the process; only building the dependencies touches garbage collection."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
MODULES = sorted(
    ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
    for path in (SOURCE / "handlers").rglob("*.py")
)
SETTINGS = {
    "LEDGER_TABLE": "ledger",
    "ALLOWED_S3_PREFIXES": "s3://bucket/a/",
    "EVENT_BUS_NAME": "bus",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}
# Prints what the garbage collector does (on or off, thresholds, objects skipped) before and after some work.
AROUND = """
import gc, json
def collector():
    return [gc.isenabled(), gc.get_threshold(), gc.get_freeze_count()]
before = collector()
{work}
print(json.dumps([before, collector()]))
"""
ANSWER = """
from pathlib import Path
import handlers.api
class Context:
    aws_request_id = "6bc28136-0000-4365-b021-0ce6b2e64ab0"
event = json.loads(Path("events/{event}.json").read_text())
assert handlers.api.handler(event, Context())["statusCode"] == {status}
"""


def collector_around(work: str) -> tuple[list[Any], list[Any]]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(SOURCE), **SETTINGS}
    command = [sys.executable, "-c", AROUND.format(work=work)]
    process = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603  our own program
    assert process.returncode == 0, process.stderr
    before, after = json.loads(process.stdout.splitlines()[-1])
    return before, after


def test_importing_every_handlers_module_leaves_the_garbage_collector_as_it_was() -> None:
    assert {"handlers.api", "handlers.wiring", "handlers.rest.idempotency_key"} <= set(MODULES)
    before, after = collector_around(f"import {', '.join(MODULES)}")
    assert before == after


@pytest.mark.parametrize(
    ("event", "status"), [("api-missing-key", 400), ("api-malformed-json", 400), ("api-unknown-path", 404)]
)
def test_a_refused_request_leaves_the_garbage_collector_as_it_was(event: str, status: int) -> None:
    before, after = collector_around(ANSWER.format(event=event, status=status))
    assert before == after


def test_building_the_dependencies_makes_the_garbage_collector_skip_them_and_changes_nothing_else() -> None:
    (was_on, thresholds, skipped), after = collector_around("import handlers.wiring\nhandlers.wiring.dependencies()")
    assert (was_on, skipped) == (True, 0)
    assert after[:2] == [was_on, thresholds]
    assert after[2] > 50_000
