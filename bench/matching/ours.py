"""One find-matches run of findmatches on a file: `python -m bench.matching.ours FILE OUTPUT`; prints what it took as JSON.

Memory of its worker processes, if it had any: the peak of the largest one times their number.

The labels are 300 rows, answered from the truth: 30 sets of five matching pairs each.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path

from bench.matching.synthetic import LabeledTable
from bench.matching.tables import load
from findmatches import Label, Settings, find_matches


def labels_from_truth(labeled: LabeledTable) -> list[Label]:
    rows_of: dict[str, list[int]] = {}
    for row, thing in enumerate(labeled.truth):
        rows_of.setdefault(thing, []).append(row)
    pairs = [rows[:2] for rows in rows_of.values() if len(rows) > 1][:150]
    return [
        Label(str(number // 5), labeled.truth[row], str(labeled.table.keys[row]))
        for number, rows in enumerate(pairs)
        for row in rows
    ]


def main() -> None:
    labeled = load(sys.argv[1])
    labels = labels_from_truth(labeled)
    started, cpu_before = time.perf_counter(), sum(os.times()[:4])
    match_ids = find_matches(labeled.table, labels, Settings())
    seconds, cpu = time.perf_counter() - started, sum(os.times()[:4]) - cpu_before
    Path(sys.argv[2]).write_text("\n".join(match_ids), encoding="utf-8")
    workers = len(os.sched_getaffinity(0)) * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    print(json.dumps({"seconds": seconds, "cpu": cpu, "workers": workers}))


if __name__ == "__main__":
    main()
