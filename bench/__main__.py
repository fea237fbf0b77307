"""`make bench`: run every measurement, print one table, and write docs/performance.md with its picture.

A figure that this machine cannot measure gets a footnote. `--only cold,warm` runs some measurements and writes nothing.
"""

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bench import (
    cloud_start,
    cold,
    cpu_profile,
    first_invoke,
    memory,
    performance_page,
    reconcile,
    size,
    suite,
    tls,
    warm,
)
from bench.rows import Measure, NotMeasurable, Row, text_table


@dataclass(frozen=True)
class Measurement:
    """`rows` appear without figures where `measure` raises NotMeasurable."""

    measure: Measure
    rows: tuple[Row, ...]


MEASUREMENTS: Mapping[str, Measurement] = {
    "cold": Measurement(cold.measure, (cold.ROW,)),
    "first_invoke": Measurement(first_invoke.measure, (first_invoke.ROW,)),
    "tls": Measurement(tls.measure, (tls.ROW,)),
    "warm": Measurement(warm.measure, warm.ROWS),
    "size": Measurement(size.measure, (size.ROW,)),
    "memory": Measurement(memory.measure, (memory.ROW,)),
    "reconcile": Measurement(reconcile.measure, reconcile.ROWS),
    "cloud_start": Measurement(cloud_start.measure, (cloud_start.ROW,)),
    "suite": Measurement(suite.measure, (suite.ROW,)),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--only",
        type=lambda text: text.split(","),
        default=list(MEASUREMENTS),
        metavar="NAME,…",
        help=f"of {', '.join(MEASUREMENTS)}",
    )
    args = parser.parse_args()
    if unknown := set(args.only) - set(MEASUREMENTS):
        parser.error(f"no such measurement: {', '.join(sorted(unknown))}")
    rows = [row for name in args.only for row in _rows(name)]
    print(text_table(rows))
    if args.only == list(MEASUREMENTS):
        sentences = [*_sentences(cpu_profile.sentences), *_sentences(suite.sentences)]
        performance_page.write(rows, sentences, datetime.now(UTC))
    for row in rows:
        if row.meets_goal() is False:
            print(f"goal missed: {row.label}: {row.text(row.ours)}, goal {row.goal_text()}")
    return 0


def _rows(name: str) -> list[Row]:
    measurement = MEASUREMENTS[name]
    began = time.monotonic()
    try:
        return measurement.measure()
    except NotMeasurable as missing:
        return [replace(row, missing=str(missing)) for row in measurement.rows]
    finally:
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)


def _sentences(measure: Callable[[], list[str]]) -> list[str]:
    try:
        return measure()
    except NotMeasurable as missing:
        return [f"Not measured on this machine: {missing}."]


if __name__ == "__main__":
    sys.exit(main())
