"""How good matches get by labeling: `python -m bench.matching.quality [table ...]`.

Simulates the loop: each run proposes 10 sets of 10 rows, which are answered from the truth; prints pairwise F1 on the
whole table, the labels not enforced, after so many labeled rows. Tables: see bench/matching/tables.py. `--peers` gives
each table also to dedupe, with 50 matching and 50 different pairs drawn from the truth, and to splink, at its best threshold.
"""

import argparse
import tempfile
import time
from pathlib import Path
from statistics import mean

from bench.matching.scale import Ran, needs_peers, run
from bench.matching.synthetic import Known
from bench.matching.tables import load, save
from findmatches.grouping import match_groups
from findmatches.labels import labeled_pairs
from findmatches.matcher import Label, Settings, propose
from findmatches.metrics import pairwise_f1
from findmatches.pipeline import prepare

DEFAULT = ["febrl1", "febrl3", "products:2000", "software:3000", "few-columns:4000", "long-text:1500"]
ROWS_PER_RUN = 100


def curve(known: Known, after: list[int], seed: int) -> dict[int, float]:
    """F1 by number of labeled rows. The table is prepared once, which changes nothing but the time."""
    settings = Settings(seed=seed)
    prepared = prepare(known.table, settings)
    assert prepared, "a table of rows that differ"
    labels: list[Label] = []
    found: dict[int, float] = {}
    for round_ in range(max(after) // ROWS_PER_RUN + 1):
        if round_ * ROWS_PER_RUN in after:
            groups = match_groups(prepared, known.table, labeled_pairs(known.table, labels), settings, None)
            found[round_ * ROWS_PER_RUN] = pairwise_f1(groups.tolist(), known.truth)
        if round_ * ROWS_PER_RUN < max(after):
            sets = propose(prepared, known.table, labels, settings, sets=10, rows_per_set=10)
            labels += [
                Label(f"{round_}-{number}", known.truth[row], str(known.table.keys[row]))
                for number, rows in enumerate(sets)
                for row in rows
            ]
    return found


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("tables", nargs="*", default=DEFAULT)
    arguments.add_argument("--seeds", type=int, default=3)
    arguments.add_argument("--after", type=int, nargs="+", default=[0, 300, 1000], help="labeled rows: 0, 100, 200 and so on")
    arguments.add_argument("--peers", nargs="*", default=[], choices=["dedupe", "splink-any"])
    arguments.add_argument("--limit", type=float, default=900, help="seconds after which a peer is stopped")
    asked = arguments.parse_args()
    needs_peers(asked.peers)
    print(f"{'pairwise F1, mean of ' + str(asked.seeds) + ' seeds':36}{'rows':>8}", end="")
    print("".join(f"{f'{count} labels':>14}" for count in asked.after) + f"{'seconds':>10}")
    for name in asked.tables:
        known = load(name)
        started = time.perf_counter()
        curves = [curve(known, asked.after, seed) for seed in range(asked.seeds)]
        print(f"{known.name:36}{len(known.truth):>8}", end="")
        print("".join(f"{mean(one[count] for one in curves):>14.4f}" for count in asked.after), end="")
        print(f"{(time.perf_counter() - started) / asked.seeds:>10.1f}", flush=True)
        for peer in asked.peers:
            print(f"  {peer:34}{_by(peer, known, asked.limit)}", flush=True)


def _by(peer: str, known: Known, limit: float) -> str:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "table.csv"
        save(known, file)
        ran = run(peer, file, known.truth, limit)
    return (
        f"F1 {ran.f1:.4f} in {ran.seconds:.1f} s, {ran.cpu:.1f} CPU s, {ran.gigabytes:.2f} GB" if isinstance(ran, Ran) else ran
    )


if __name__ == "__main__":
    main()
