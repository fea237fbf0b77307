"""`python -m bench.suite`: how long the last `make test` took, by its own report, and each test folder's share of it."""

import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

from bench.builds import ROOT
from bench.cpu_profile import sentence
from bench.rows import NotMeasurable, Row, command

REPORT = ROOT / ".local" / "tests.xml"
ROW = Row("make test", unit=" s", digits=0)
_MIN_SHARE = 0.02  # smaller shares are left out


def measure(report: Path = REPORT) -> list[Row]:
    """Raises NotMeasurable."""
    (suite,) = _read(report).iter("testsuite")
    return [replace(ROW, label=f"{ROW.label} ({suite.get('tests')} tests)", ours=float(suite.get("time", "")))]


def sentences(report: Path = REPORT) -> list[str]:
    """A sentence with the share of each test folder, largest first. Raises NotMeasurable."""
    milliseconds = Counter[str]()
    for test in _read(report).iter("testcase"):
        _, folder, *_ = test.get("classname", "").split(".")
        milliseconds[folder] += round(1000 * float(test.get("time", "")))
    total = sum(milliseconds.values())
    shares = {folder: part / total for folder, part in milliseconds.most_common() if part / total >= _MIN_SHARE}
    return [sentence("whole `make test`", shares)]


def _read(report: Path) -> "ET.ElementTree[ET.Element]":
    if not report.exists():
        raise NotMeasurable(f"no {report.name} of `make test`")
    return ET.parse(report)  # noqa: S314  our own file


if __name__ == "__main__":
    sys.exit(command(measure, __doc__))
