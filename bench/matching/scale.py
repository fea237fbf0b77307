"""Time and memory of a whole find-matches run: `python -m bench.matching.scale [rows ...] [--peers splink dedupe]`.

Every matcher gets the same synthetic people in a process of its own, one after the other. Time is from rows in memory to a
match id per row, in seconds and in CPU seconds, which say more on a shared machine; imports and reading are left out.
Memory is the process's peak. Peers run in .venv-bench (requirements/bench.txt); ratios are to findmatches.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench.matching.synthetic import people
from bench.matching.tables import save
from findmatches.metrics import pairwise_f1

OWN = "findmatches"
PEERS = Path(".venv-bench/bin/python")


@dataclass(frozen=True)
class Measurement:
    """What one run took; `gigabytes` is the peak of resident memory."""

    seconds: float
    cpu: float
    gigabytes: float
    f1: float


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
    return Measurement(spent["seconds"], spent["cpu"], int(peak) / 1e6, pairwise_f1(match_ids, truth))


def require_peers(names: list[str]) -> None:
    if names and not PEERS.exists():
        sys.exit(
            "Peers need .venv-bench: install requirements/bench.txt into it (make bench-matching does), or pass no --peers."
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", type=int, default=[10_000, 100_000])
    parser.add_argument("--peers", nargs="*", default=["splink"], choices=["splink", "dedupe"])
    parser.add_argument("--limit", type=float, default=900, help="seconds after which a run is stopped")
    arguments = parser.parse_args()
    require_peers(arguments.peers)
    print(
        f"{'rows':>9}  {'matcher':12}{'seconds':>9}{'CPU s':>8}{'GB':>7}{'F1':>9}"
        f"{'time':>7}{'CPU':>7}{'memory':>8}   (ratios to findmatches)"
    )
    for rows in arguments.rows:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "people.csv"
            save(people(rows), file)
            with file.open(encoding="utf-8", newline="") as lines:
                truth = [row["truth"] for row in csv.DictReader(lines)]
            own = run(OWN, file, truth, arguments.limit)
            _show(rows, OWN, own, own)
            for peer in arguments.peers:
                _show(rows, peer, run(peer, file, truth, arguments.limit), own)


def _show(rows: int, matcher: str, result: Measurement | str, own: Measurement | str) -> None:
    if isinstance(result, str):
        print(f"{rows:>9}  {matcher:12}{result}", flush=True)
        return
    print(f"{rows:>9}  {matcher:12}{result.seconds:>9.1f}{result.cpu:>8.1f}{result.gigabytes:>7.2f}{result.f1:>9.4f}", end="")
    if isinstance(own, Measurement):
        print(
            f"{result.seconds / own.seconds:>7.2f}{result.cpu / own.cpu:>7.2f}{result.gigabytes / own.gigabytes:>8.2f}", end=""
        )
    print(flush=True)


if __name__ == "__main__":
    main()
