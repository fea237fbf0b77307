"""The README's example runs as printed, from a CSV file to groups."""

import csv
import re
from pathlib import Path
from typing import Any

import pytest

from findmatches.metrics import pairwise_f1
from tests.findmatches.synthetic_people import LabeledTable

README = Path(__file__).parents[2] / "findmatches" / "README.md"


def test_readme_example_finds_the_people(people: LabeledTable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "people.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*people.table.names, "person"])
        writer.writerows(zip(*people.table.columns.values(), people.truth, strict=True))
    monkeypatch.chdir(tmp_path)
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    variables: dict[str, Any] = {}
    exec(compile(example, str(README), "exec"), variables)  # noqa: S102 - our own README
    assert pairwise_f1(variables["match_ids"], people.truth) >= 0.95
    assert len(variables["confidences"]) == len(people.truth)
