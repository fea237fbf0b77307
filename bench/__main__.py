"""`make bench`: every measurement, one table, docs/performance.md and its picture.

What cannot be measured on this machine is said so in its row. `--only cold,warm` measures some and writes nothing.
"""

import argparse
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

from bench import cloud_start, cold, first_invoke, memory, page, reconcile, shares, size, suite, tls, warm
from bench.rows import HEADING, Measure, NotHere, Row, in_columns

MEASURES: Mapping[str, tuple[Measure, tuple[str, ...]]] = {
    "cold": (cold.measure, ("cold start, instructions",)),
    "first_invoke": (first_invoke.measure, ("first invoke through the runtime interface emulator",)),
    "tls": (tls.measure, ("CPU of the first TLS request",)),
    "warm": (warm.measure, ("AWS calls and instructions per start and per replay",)),
    "size": (size.measure, ("deployed zip",)),
    "memory": (memory.measure, ("resident memory",)),
    "reconcile": (reconcile.measure, ("reconciling 10,000 and 100,000 open runs",)),
    "cloud_start": (cloud_start.measure, ("local cloud, from nothing to the first answer",)),
    "suite": (suite.measure, ("make test",)),
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", type=lambda text: text.split(","), default=list(MEASURES), metavar="NAME,…")
    asked = parser.parse_args()
    rows = [row for name in asked.only for row in _measured(name)]
    print(in_columns([HEADING, *(row.cells() for row in rows)]))
    if asked.only == list(MEASURES):
        page.write(rows, [*_told(shares.told), *_told(suite.told)], datetime.now(UTC))
    for row in rows:
        if row.is_reached() is False:
            print(f"not reached: {row.what}: {row.today()}, wanted {row.cells()[1]}")
    return 0


def _measured(name: str) -> list[Row]:
    measure, would_be = MEASURES[name]
    began = time.monotonic()
    try:
        return measure()
    except NotHere as missing:
        return [Row(what, why=str(missing)) for what in would_be]
    finally:
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)


def _told(tell: Callable[[], list[str]]) -> list[str]:
    try:
        return tell()
    except NotHere as missing:
        return [f"Not measured here: {missing}."]


if __name__ == "__main__":
    sys.exit(main())
