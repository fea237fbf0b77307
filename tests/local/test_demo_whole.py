"""`make demo` from its command line: exit 0 only when the whole loop did what it should."""

import csv
import json
import subprocess
from pathlib import Path

import pytest

from tests.local.helpers import people, run_python


def demo(*arguments: str) -> subprocess.CompletedProcess[str]:
    return run_python("-W", "error", "-m", "local.demo", *arguments)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    records, path = people(80), tmp_path / "people.csv"
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, [*records.columns, "person"])
        writer.writeheader()
        for row in records.rows:
            writer.writerow({**row, "person": (records.truth or {})[str(row["pk"])]})
    return path


def test_the_demo_runs_the_whole_loop_on_a_table_of_ones_own(table: Path, tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    asked = ["--data", str(table), "--primary-key", "pk", "--truth", "person", "--rounds", "1", "--folder", str(folder)]
    done = demo(*asked)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Glue knows 1 task run" in done.stdout
    assert "\x1b" not in done.stdout
    assert (folder / "f1.png").read_bytes().startswith(b"\x89PNG")
    events = json.loads((folder / "events.json").read_text())
    assert sorted(event["detail-type"] for event in events) == ["TaskRunStarted"] * 2 + ["TaskRunSucceeded"] * 2


def test_the_demo_says_what_is_wrong_with_a_file(table: Path, tmp_path: Path) -> None:
    done = demo("--data", str(table), "--primary-key", "nope", "--truth", "person", "--folder", str(tmp_path / "demo"))
    assert done.returncode == 1
    assert "has no column 'nope'" in done.stdout


def test_without_truth_someone_has_to_be_there_to_answer(table: Path, tmp_path: Path) -> None:
    done = demo("--data", str(table), "--primary-key", "pk", "--folder", str(tmp_path / "demo"))
    assert done.returncode == 1
    assert "no terminal to ask in" in done.stdout
