"""A sample of `make chaos`, and the proof that the harness can fail."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_a_sample_of_all_faults_starts_nothing_twice_and_loses_nothing() -> None:
    played = _python("tests.chaos", "--every", "139", "--troupes", "2")
    assert played.returncode == 0, played.stdout[-4000:] + played.stderr[-4000:]
    figures = dict(re.findall(r"^(\w[\w' ]+?)  +(\d+)", played.stdout, re.MULTILINE))
    assert int(figures.pop("cases run")) >= 50
    figures.pop("seconds")
    promises = {"not exported", "not checked", "ledger not Glue's", "wrong answers"}
    assert set(figures) == {"duplicates", "lost events", "stuck runs", *promises}
    assert set(figures.values()) == {"0"}


def test_the_harness_finds_what_is_broken_on_purpose() -> None:
    played = _python("tests.chaos.broken")
    assert played.returncode == 0, played.stderr[-4000:]
    found = json.loads(played.stdout)
    assert found["as it is"] == {}
    assert found["its client repeats a start whose answer was lost"]["duplicate"] > 0
    assert found["it asks again without looking"]["duplicate"] > 0
    assert found["its ledger has no conditions"]["duplicate"] > 0
    assert found["nothing reconciles"]["stuck"] > 0
    assert found["nothing announces"]["lost"] > 0


def _python(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """In a process of its own: the harness forks, and changes its environment."""
    return subprocess.run(  # noqa: S603  our own module by argument list
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": "src:."},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
