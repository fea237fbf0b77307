"""How good the matches get with labels: `python -m bench.matching.quality [table ...]`.

Simulates the loop: each run proposes 10 sets of 10 rows, which are labeled from the truth. Prints pairwise F1 on the whole
table by the number of labeled rows; labels are not enforced. Tables: see bench/matching/tables.py. `--peers` also runs
dedupe, with 50 matching and 50 different pairs drawn from the truth, and splink, at its best threshold.
"""

import argparse
import tempfile
import time
from pathlib import Path
from statistics import mean

from bench.matching.scale import Measurement, require_peers, run
from bench.matching.synthetic import LabeledTable
from bench.matching.tables import load, save
from findmatches.active_learning import propose
from findmatches.labels import Label, labeled_pairs
from findmatches.matching import match_groups
from findmatches.metrics import pairwise_f1
from findmatches.preparation import prepare
from findmatches.settings import Settings

DEFAULT = [
    "febrl1",
    "febrl3",
    "products:2000",
    "software:3000",
    "few-columns:4000",
    "long-text:1500",
    "groups-of-five:400",
    "organizations:2000",
    "households:400",
    "exact-copies:500",
    "two-alphabets:500",
    "many-scripts:500",
    "boilerplate:300",
    "placeholders:500",
    "rare-matches:1500",
]
ROWS_PER_RUN = 100


def curve(labeled: LabeledTable, after: list[int], seed: int) -> dict[int, float]:
    """F1 by number of labeled rows. The table is prepared once, which changes nothing but the time."""
    settings = Settings(seed=seed)
    prepared = prepare(labeled.table, settings)
    assert prepared, "a table of rows that differ"
    labels: list[Label] = []
    f1_after: dict[int, float] = {}
    for run_number in range(max(after) // ROWS_PER_RUN + 1):
        if run_number * ROWS_PER_RUN in after:
            groups = match_groups(prepared, labeled.table, labeled_pairs(labeled.table, labels), settings, None)
            f1_after[run_number * ROWS_PER_RUN] = pairwise_f1(groups.tolist(), labeled.truth)
        if run_number * ROWS_PER_RUN < max(after):
            sets = propose(prepared, labeled.table, labels, settings, sets=10, rows_per_set=10)
            labels += [
                Label(f"{run_number}-{number}", labeled.truth[row], str(labeled.table.keys[row]))
                for number, rows in enumerate(sets)
                for row in rows
            ]
    return f1_after


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*", default=DEFAULT)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--after", type=int, nargs="+", default=[0, 300, 1000], help="labeled rows: 0, 100, 200 and so on")
    parser.add_argument("--peers", nargs="*", default=[], choices=["dedupe", "splink-any"])
    parser.add_argument("--limit", type=float, default=900, help="seconds after which a peer is stopped")
    arguments = parser.parse_args()
    require_peers(arguments.peers)
    print(f"{'pairwise F1, mean of ' + str(arguments.seeds) + ' seeds':36}{'rows':>8}", end="")
    print("".join(f"{f'{count} labels':>14}" for count in arguments.after) + f"{'seconds':>10}")
    for name in arguments.tables:
        labeled = load(name)
        started = time.perf_counter()
        curves = [curve(labeled, arguments.after, seed) for seed in range(arguments.seeds)]
        print(f"{labeled.name:36}{len(labeled.truth):>8}", end="")
        print("".join(f"{mean(f1_after[count] for f1_after in curves):>14.4f}" for count in arguments.after), end="")
        print(f"{(time.perf_counter() - started) / arguments.seeds:>10.1f}", flush=True)
        for peer in arguments.peers:
            print(f"  {peer:34}{_by(peer, labeled, arguments.limit)}", flush=True)


def _by(peer: str, labeled: LabeledTable, limit: float) -> str:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "table.csv"
        save(labeled, file)
        result = run(peer, file, labeled.truth, limit)
    return (
        f"F1 {result.f1:.4f} in {result.seconds:.1f} s, {result.cpu:.1f} CPU s, {result.gigabytes:.2f} GB"
        if isinstance(result, Measurement)
        else result
    )


if __name__ == "__main__":
    main()
