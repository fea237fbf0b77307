"""`python -m bench.suite`: how long `make test` took when it ran last, and where that time went; by its own report."""

import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

from bench.builds import ROOT
from bench.rows import NotHere, Row, command
from bench.shares import sentence

REPORT = ROOT / ".local" / "tests.xml"
_LEAST = 0.02  # smaller shares say nothing


def measure(report: Path = REPORT) -> list[Row]:
    """Raises NotHere."""
    (suite,) = _read(report).iter("testsuite")
    return [Row(f"make test ({suite.get('tests')} tests)", ours=float(suite.get("time", "")), unit=" s", digits=0)]


def told(report: Path = REPORT) -> list[str]:
    """A sentence: the part of each folder of tests, largest first. Raises NotHere."""
    spent = Counter[str]()  # milliseconds
    for test in _read(report).iter("testcase"):
        _, folder, *_ = test.get("classname", "").split(".")
        spent[folder] += round(1000 * float(test.get("time", "")))
    total = sum(spent.values())
    shares = {folder: of_it / total for folder, of_it in spent.most_common() if of_it / total >= _LEAST}
    return [sentence("whole `make test`", shares)]


def _read(report: Path) -> "ET.ElementTree[ET.Element]":
    if not report.exists():
        raise NotHere(f"no {report.name} of `make test`")
    return ET.parse(report)  # noqa: S314  our own file


if __name__ == "__main__":
    sys.exit(command(measure, __doc__))
