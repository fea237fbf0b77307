"""What `make test` reports of itself is read as it was written."""

from pathlib import Path

import pytest

from bench.rows import NotHere
from bench.suite import measure, told

REPORT = """<?xml version="1.0" encoding="utf-8"?>
<testsuites name="pytest tests"><testsuite name="pytest" errors="0" failures="0" skipped="0" tests="3" time="42.6">
<testcase classname="tests.chaos.test_one" name="test_a" time="6.0" />
<testcase classname="tests.chaos.test_two.TestIt" name="test_b" time="3.0" />
<testcase classname="tests.unit.test_three" name="test_c" time="0.9" />
<testcase classname="tests.e2e.test_four" name="test_d" time="0.1" />
</testsuite></testsuites>
"""


def test_wall_time_is_a_row_and_the_folders_shares_a_sentence(tmp_path: Path) -> None:
    report = tmp_path / "tests.xml"
    report.write_text(REPORT)
    (row,) = measure(report)
    assert (row.what, row.today()) == ("make test (3 tests)", "43 s")
    assert told(report) == ["Of a whole `make test`: chaos 90%, unit 9%."]


def test_without_a_report_it_is_not_measured(tmp_path: Path) -> None:
    for ask in (measure, told):
        with pytest.raises(NotHere, match="of `make test`"):
            ask(tmp_path / "tests.xml")
