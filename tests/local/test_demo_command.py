"""`make demo` from the command line: it exits with 0 only if the whole loop had the right results."""

import csv
import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.local.helpers import UNREACHABLE_PROXY, people, run_python


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the demo where an unusable proxy is set: none of its requests may go through it."""
    return run_python("-W", "error", "-m", "local.demo", *arguments, env={**os.environ, **UNREACHABLE_PROXY})


@pytest.fixture
def table(tmp_path: Path) -> Path:
    records, path = people(80), tmp_path / "people.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*records.columns, "person"])
        writer.writeheader()
        for row in records.rows:
            writer.writerow({**row, "person": (records.truth or {})[str(row["pk"])]})
    return path


def test_demo_runs_the_whole_loop_on_a_csv_file(table: Path, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    arguments = ["--data", str(table), "--primary-key", "pk", "--truth", "person", "--rounds", "1", "--folder", str(folder)]
    completed = demo(*arguments)
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert "Glue lists 1 task run" in completed.stdout
    assert "\x1b" not in completed.stdout
    assert (folder / "f1.png").read_bytes().startswith(b"\x89PNG")
    events = json.loads((folder / "events.json").read_text())
    assert sorted(event["detail-type"] for event in events) == ["TaskRunStarted"] * 4 + ["TaskRunSucceeded"] * 4
    (metrics,) = [event["detail"]["data"]["metrics"] for event in events if "metrics" in event["detail"]["data"]]
    assert 0 < metrics["f1"] <= 1
    assert (folder / "labels.csv").read_text().startswith("labeling_set_id,label,pk,")


def test_demo_says_what_is_wrong_with_a_file(table: Path, tmp_path: Path) -> None:
    completed = demo("--data", str(table), "--primary-key", "nope", "--truth", "person", "--folder", str(tmp_path / "demo"))
    assert completed.returncode == 1
    assert "has no column 'nope'" in completed.stdout


def test_without_truth_column_the_demo_needs_a_terminal(table: Path, tmp_path: Path) -> None:
    completed = demo("--data", str(table), "--primary-key", "pk", "--folder", str(tmp_path / "demo"))
    assert completed.returncode == 1
    assert "needs a terminal" in completed.stdout
