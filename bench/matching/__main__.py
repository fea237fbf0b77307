"""`python -m bench.matching`: quality by labels, then time and memory by rows, into docs/performance.md and its picture.

The page is written after each table, so that a run that is stopped keeps what it measured.
"""

import argparse
from datetime import UTC, datetime

from bench.matching import page, quality, scale
from bench.matching.results import Quality


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("tables", nargs="*", default=quality.DEFAULT, help="see bench/matching/tables.py")
    parser.add_argument("--seeds", type=int, default=3, help="one seed only on tables of more than 4,000 rows")
    parser.add_argument("--after", type=int, nargs="+", default=list(quality.AFTER), help="labeled rows: 0, 100, 200 and so on")
    parser.add_argument("--peers", nargs="*", default=["splink-any"], choices=["dedupe", "splink-any"])
    parser.add_argument("--rows", type=int, nargs="*", default=[10_000, 100_000], help="rows of the runs for time and memory")
    parser.add_argument("--limit", type=float, default=300, help="seconds after which a peer is stopped")
    arguments = parser.parse_args()
    scale.require_peers(["splink", *arguments.peers])
    print(f"Measuring {len(arguments.tables)} tables ...", flush=True)
    by_rows = scale.measure(arguments.rows, ["splink"], arguments.limit)
    by_labels: list[Quality] = []
    for name in arguments.tables:
        result = quality.measure(name, arguments.seeds, arguments.after, arguments.peers, arguments.limit)
        by_labels.append(result)
        print(result.table, *(f"{count}: {result.f1(count):.4f}" for count in arguments.after), result.peers, flush=True)
        page.write(by_labels, by_rows, datetime.now(UTC))


if __name__ == "__main__":
    main()
