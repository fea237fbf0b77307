"""`make bench` reads the report of the last `make test`."""

from pathlib import Path

import pytest

from bench.rows import NotMeasurable
from bench.suite import measure, sentences

REPORT = """<?xml version="1.0" encoding="utf-8"?>
<testsuites name="pytest tests"><testsuite name="pytest" errors="0" failures="0" skipped="0" tests="3" time="42.6">
<testcase classname="tests.chaos.test_a" name="test_a" time="6.0" />
<testcase classname="tests.chaos.test_b.TestClass" name="test_b" time="3.0" />
<testcase classname="tests.unit.test_c" name="test_c" time="0.9" />
<testcase classname="tests.e2e.test_d" name="test_d" time="0.1" />
</testsuite></testsuites>
"""


def test_report_gives_a_row_and_a_sentence_of_shares(tmp_path: Path) -> None:
    report = tmp_path / "tests.xml"
    report.write_text(REPORT)
    (row,) = measure(report)
    assert (row.label, row.cells()[2]) == ("make test (3 tests)", "43 s")
    assert sentences(report) == ["Of a whole `make test`: chaos 90%, unit 9%."]


def test_without_a_report_nothing_is_measured(tmp_path: Path) -> None:
    for read in (measure, sentences):
        with pytest.raises(NotMeasurable, match="of `make test`"):
            read(tmp_path / "tests.xml")
