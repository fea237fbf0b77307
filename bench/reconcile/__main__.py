"""What a round of the reconciler costs at 1,000, 10,000 and 100,000 open runs: `python -m bench.reconcile`.

Ten runs a transform, one of which has finished in Glue. The peer, `polling`, is the textbook: one GetMLTaskRun for each open
run, an update and an event for each that ended, over as many threads. "Work" is a transform, or a run that ended.
"""

import argparse
from collections.abc import Sequence

from bench.reconcile.measure import PEER_AT, SIZES, Row, measure


def table(rows: Sequence[Row]) -> str:
    """The rows as Markdown."""
    head = [
        "",
        "open runs",
        "transforms",
        "AWS calls",
        "of these pages",
        "calls / work",
        "CPU s",
        "CPU ms / work",
        "wall s",
        "peak MB",
    ]
    lines = [head, ["---", *["---:"] * (len(head) - 1)]]
    lines += [
        [
            row.who,
            f"{row.open_runs:,}",
            f"{row.transforms:,}",
            f"{row.calls:,}",
            str(row.pages),
            f"{row.calls_of_work:.3f}",
            f"{row.cpu_seconds:.1f}",
            f"{row.cpu_milliseconds_of_work:.2f}",
            f"{row.wall_seconds:.1f}",
            f"{row.peak_mb:.0f}",
        ]
        for row in rows
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="What a round of the reconciler costs")
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES, help="how many open runs (1000 10000 100000)")
    parser.add_argument("--no-peer", action="store_true", help="leave out the peer and the case of a single transform")
    asked = parser.parse_args()
    print(table(measure(asked.sizes, None if asked.no_peer else PEER_AT)))


if __name__ == "__main__":
    main()
