"""One whole find-matches run of our engine on a file: `python -m bench.matching.ours FILE OUTPUT`; prints time as JSON.

The labels are 300 rows, answered from the truth: 30 sets, each of five pairs of rows, most of them matches.
"""

import json
import os
import sys
import time
from pathlib import Path

from bench.matching.synthetic import Known
from bench.matching.tables import load
from findmatches.matcher import Label, Settings, find_matches


def some_labels(known: Known) -> list[Label]:
    rows_of: dict[str, list[int]] = {}
    for row, thing in enumerate(known.truth):
        rows_of.setdefault(thing, []).append(row)
    pairs = [rows[:2] for rows in rows_of.values() if len(rows) > 1][:150]
    return [
        Label(str(number // 5), known.truth[row], str(known.table.keys[row]))
        for number, rows in enumerate(pairs)
        for row in rows
    ]


def main() -> None:
    known = load(sys.argv[1])
    labels = some_labels(known)
    started, cpu_before = time.perf_counter(), sum(os.times()[:4])
    found = find_matches(known.table, labels, Settings())
    seconds, cpu = time.perf_counter() - started, sum(os.times()[:4]) - cpu_before
    Path(sys.argv[2]).write_text("\n".join(found), encoding="utf-8")
    print(json.dumps({"seconds": seconds, "cpu": cpu}))


if __name__ == "__main__":
    main()
