"""How good the matches get with labels: `python -m bench.matching.quality [table ...]`.

Simulates the loop: each run proposes 10 sets of 10 rows, which are labeled from the truth. Prints pairwise F1 on the whole
table by the number of labeled rows; labels are not enforced. Tables: see bench/matching/tables.py. `--peers` also runs
dedupe, with 50 matching and 50 different pairs drawn from the truth, and splink, at its best threshold.
"""

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.matching.results import Measurement, Quality, quality_table
from bench.matching.scale import require_peers, run
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
    "bibliography:1500",
    "shops:1500",
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
AFTER = (0, 100, 300, 1000)
ROWS_PER_RUN = 100
MAX_ROWS_OF_SEVERAL_SEEDS = 4_000


def curve(labeled: LabeledTable, after: Sequence[int], seed: int) -> dict[int, float]:
    """F1 by number of labeled rows. The table is prepared once without and once with labels, to save time."""
    settings = Settings(seed=seed)
    labels: list[Label] = []
    f1_after: dict[int, float] = {}
    before, later = (prepare(labeled.table, settings, has_labels=has_labels) for has_labels in (False, True))
    for run_number in range(max(after) // ROWS_PER_RUN + 1):
        prepared = later if labels else before
        assert prepared, "a table of rows that differ"
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


def measure(name: str, seeds: int, after: Sequence[int], peers: Sequence[str], limit: float) -> Quality:
    """One table's curves, one seed only above 4,000 rows, and the peers' runs, each stopped after `limit` seconds."""
    labeled = load(name)
    rows = len(labeled.truth)
    curves = [curve(labeled, after, seed) for seed in range(seeds if rows <= MAX_ROWS_OF_SEVERAL_SEEDS else 1)]
    return Quality(labeled.name, rows, curves, {peer: _by(peer, labeled, limit) for peer in peers})


def _by(peer: str, labeled: LabeledTable, limit: float) -> Measurement | str:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "table.csv"
        save(labeled, file)
        return run(peer, file, labeled.truth, limit)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*", default=DEFAULT)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--after", type=int, nargs="+", default=list(AFTER), help="labeled rows: 0, 100, 200 and so on")
    parser.add_argument("--peers", nargs="*", default=[], choices=["dedupe", "splink-any"])
    parser.add_argument("--limit", type=float, default=900, help="seconds after which a peer is stopped")
    arguments = parser.parse_args()
    require_peers(arguments.peers)
    results = [measure(name, arguments.seeds, arguments.after, arguments.peers, arguments.limit) for name in arguments.tables]
    print(quality_table(results))


if __name__ == "__main__":
    main()
