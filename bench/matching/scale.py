"""Time and memory of a whole find-matches run: `python -m bench.matching.scale [rows ...] [--peers splink dedupe]`.

Every matcher gets the same made-up people in a process of its own, one after the other. Time is from rows in memory to a
match id per row, in seconds and in CPU seconds, which tell more on a shared machine; importing and reading are left out.
Memory is the process's peak. Peers run in .venv-bench (requirements/bench.txt); ratios are to ours.
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

OWN = "this engine"
PEERS = Path(".venv-bench/bin/python")


@dataclass(frozen=True)
class Ran:
    seconds: float
    cpu: float
    gigabytes: float
    f1: float


def run(matcher: str, file: Path, truth: list[str], limit: float) -> Ran | str:
    """Or why there is no result."""
    output = file.with_suffix(".out")
    command = [sys.executable, "-m", "bench.matching.ours", str(file), str(output)]
    if matcher != OWN:
        command = [str(PEERS), str(Path(__file__).with_name("peers.py")), matcher, str(file), str(output)]
    # time(1) would do, but isn't everywhere; wait4 tells the peak of exactly this child.
    launcher = (
        "import os, subprocess, sys, threading;"
        "child = subprocess.Popen(sys.argv[2:], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL);"
        "timer = threading.Timer(float(sys.argv[1]), child.kill); timer.start();"
        "said = child.stdout.read().decode(); _, status, used = os.wait4(child.pid, 0); timer.cancel();"
        "last = said.strip().splitlines()[-1] if said.strip() else '{}';"
        "print(last, status, used.ru_maxrss, sep='\\n')"
    )
    done = subprocess.run(
        [sys.executable, "-c", launcher, str(limit), *command], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    said, status, peak = done.stdout.splitlines()
    if status != "0":
        return f"stopped after {limit:.0f} s" if status == "9" else f"failed (status {status})"
    found = output.read_text(encoding="utf-8").split("\n")
    spent = json.loads(said)
    return Ran(spent["seconds"], spent["cpu"], int(peak) / 1e6, pairwise_f1(found, truth))


def needs_peers(names: list[str]) -> None:
    if names and not PEERS.exists():
        sys.exit("Peers need .venv-bench: install requirements/bench.txt into it (make bench-engine does), or pass no --peers.")


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("rows", nargs="*", type=int, default=[10_000, 100_000])
    arguments.add_argument("--peers", nargs="*", default=["splink"], choices=["splink", "dedupe"])
    arguments.add_argument("--limit", type=float, default=900, help="seconds after which a run is stopped")
    asked = arguments.parse_args()
    needs_peers(asked.peers)
    print(
        f"{'rows':>9}  {'matcher':12}{'seconds':>9}{'CPU s':>8}{'GB':>7}{'F1':>9}"
        f"{'time':>7}{'CPU':>7}{'memory':>8}   (ratios to this engine)"
    )
    for rows in asked.rows:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "people.csv"
            save(people(rows), file)
            with file.open(encoding="utf-8", newline="") as lines:
                truth = [line["truth"] for line in csv.DictReader(lines)]
            own = run(OWN, file, truth, asked.limit)
            _show(rows, OWN, own, own)
            for peer in asked.peers:
                _show(rows, peer, run(peer, file, truth, asked.limit), own)


def _show(rows: int, matcher: str, ran: Ran | str, own: Ran | str) -> None:
    if isinstance(ran, str):
        print(f"{rows:>9}  {matcher:12}{ran}", flush=True)
        return
    print(f"{rows:>9}  {matcher:12}{ran.seconds:>9.1f}{ran.cpu:>8.1f}{ran.gigabytes:>7.2f}{ran.f1:>9.4f}", end="")
    if isinstance(own, Ran):
        print(f"{ran.seconds / own.seconds:>7.2f}{ran.cpu / own.cpu:>7.2f}{ran.gigabytes / own.gigabytes:>8.2f}", end="")
    print(flush=True)


if __name__ == "__main__":
    main()
