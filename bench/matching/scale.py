"""Time and memory of a whole find-matches run: `python -m bench.matching.scale [rows ...] [--peers splink dedupe]`.

Every matcher gets the same synthetic people in a process of its own, one after the other. Time is from rows in memory to a
match id per row, in seconds and in CPU seconds, which say more on a shared machine; imports and reading are left out.
Memory is the peak of the process and, added to it, of its workers. Peers run in .venv-bench (requirements/bench.txt);
ratios are to findmatches.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.matching.results import OWN, Measurement, Scale, scale_table
from bench.matching.synthetic import people
from bench.matching.tables import save
from findmatches.metrics import pairwise_f1

PEERS = Path(".venv-bench/bin/python")


def run(matcher: str, file: Path, truth: list[str], limit: float) -> Measurement | str:
    """A measurement, or why there is none; `limit` in seconds."""
    output = file.with_suffix(".out")
    command = [sys.executable, "-m", "bench.matching.ours", str(file), str(output)]
    if matcher != OWN:
        command = [str(PEERS), str(Path(__file__).with_name("peers.py")), matcher, str(file), str(output)]
    # time(1) would do, but is not installed everywhere; wait4 reports the peak of exactly this child.
    launcher = (
        "import os, subprocess, sys, threading;"
        "child = subprocess.Popen(sys.argv[2:], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL);"
        "timer = threading.Timer(float(sys.argv[1]), child.kill); timer.start();"
        "printed = child.stdout.read().decode(); _, status, used = os.wait4(child.pid, 0); timer.cancel();"
        "last = printed.strip().splitlines()[-1] if printed.strip() else '{}';"
        "print(last, status, used.ru_maxrss, sep='\\n')"
    )
    launched = subprocess.run(
        [sys.executable, "-c", launcher, str(limit), *command], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    timing, status, peak = launched.stdout.splitlines()
    if status != "0":
        return f"stopped after {limit:.0f} s" if status == "9" else f"failed (status {status})"
    match_ids = output.read_text(encoding="utf-8").split("\n")
    spent = json.loads(timing)
    gigabytes = int(peak) / 1e6 + spent.get("workers", 0.0)
    return Measurement(spent["seconds"], spent["cpu"], gigabytes, pairwise_f1(match_ids, truth))


def require_peers(names: list[str]) -> None:
    if names and not PEERS.exists():
        sys.exit(
            "Peers need .venv-bench: install requirements/bench.txt into it (make bench-matching does), or pass no --peers."
        )


def measure(row_counts: Sequence[int], peers: Sequence[str], limit: float) -> list[Scale]:
    """Each matcher's run on each number of rows; a run is stopped after `limit` seconds."""
    results = []
    for rows in row_counts:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "people.csv"
            save(people(rows), file)
            with file.open(encoding="utf-8", newline="") as lines:
                truth = [row["truth"] for row in csv.DictReader(lines)]
            results += [Scale(rows, matcher, run(matcher, file, truth, limit)) for matcher in (OWN, *peers)]
    return results


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", type=int, default=[10_000, 100_000])
    parser.add_argument("--peers", nargs="*", default=["splink"], choices=["splink", "dedupe"])
    parser.add_argument("--limit", type=float, default=900, help="seconds after which a run is stopped")
    arguments = parser.parse_args()
    require_peers(arguments.peers)
    print(scale_table(measure(arguments.rows, arguments.peers, arguments.limit)))


if __name__ == "__main__":
    main()
