"""A sample of `make chaos`, and that the harness finds services which are broken on purpose."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_sample_of_all_faults_breaks_no_invariant() -> None:
    result = _run("tests.chaos", "--every", "139", "--workers", "2")
    assert result.returncode == 0, result.stdout[-4000:] + result.stderr[-4000:]
    figures = dict(re.findall(r"^(\w[\w' ]+?)  +(\d+)", result.stdout, re.MULTILINE))
    assert int(figures.pop("cases run")) >= 50
    figures.pop("seconds")
    others = {"not exported", "file not checked", "ledger unlike Glue", "wrong responses"}
    assert set(figures) == {"duplicates", "lost events", "stuck runs", *others}
    assert set(figures.values()) == {"0"}


def test_harness_finds_services_that_are_broken_on_purpose() -> None:
    result = _run("tests.chaos.broken_services")
    assert result.returncode == 0, result.stderr[-4000:]
    violations = json.loads(result.stdout)
    assert violations["unchanged"] == {}
    assert violations["the client retries starts"]["duplicate"] > 0
    assert violations["starts again without a look-up"]["duplicate"] > 0
    assert violations["the ledger has no conditions"]["duplicate"] > 0
    assert violations["no reconciler"]["stuck"] > 0
    assert violations["no stream"]["lost"] > 0


def _run(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """In a new process: the harness forks, and changes its environment."""
    return subprocess.run(  # noqa: S603  our own module by argument list
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "src:.:client"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
