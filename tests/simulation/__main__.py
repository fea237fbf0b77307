"""`make simulate`: play schedules from consecutive seeds, on all cores, and say which promises broke.

`SEED=n` plays one schedule and prints what happened. A schedule that breaks a promise is made smaller first.
The exit code is 0 only if no promise was broken; that every move is a legal one is one of them.
"""

import argparse
import logging
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial

from tests.simulation.moves import LEGAL
from tests.simulation.playing import play
from tests.simulation.promises import Move
from tests.simulation.shrink import shrink

BATCH = 250
MAX_SHOWN = 10
PROGRESS_AFTER = 10_000


@dataclass
class Totals:
    schedules: int = 0
    steps: int = 0
    moves: Counter[Move] = field(default_factory=Counter)
    violations: dict[int, str] = field(default_factory=dict)
    cpu_seconds: float = 0

    def add(self, other: "Totals") -> None:
        self.schedules += other.schedules
        self.steps += other.steps
        self.moves += other.moves
        self.violations |= other.violations
        self.cpu_seconds += other.cpu_seconds


def play_batch(first_seed: int) -> Totals:
    """Play BATCH schedules."""
    logging.disable(logging.CRITICAL)
    totals, begin = Totals(), time.process_time()
    for seed in range(first_seed, first_seed + BATCH):
        result = play(seed)
        totals.add(Totals(1, result.steps, result.moves, {seed: result.violation} if result.violation else {}))
    totals.cpu_seconds = time.process_time() - begin
    return totals


def main() -> int:
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--schedules", type=int, default=100_000)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--seed", type=int, help="play this schedule alone, and print its trace")
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    if arguments.seed is not None:
        return _explain(arguments.seed)
    return _simulate(range(arguments.first_seed, arguments.first_seed + arguments.schedules, BATCH))


def _simulate(first_seeds: Sequence[int]) -> int:
    begin, totals = time.monotonic(), Totals()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for batch in pool.map(play_batch, first_seeds):
            totals.add(batch)
            if sys.stdout.isatty():
                _print(f"\r{totals.schedules:,} schedules, {len(totals.violations)} violations", end="")
            elif totals.schedules % PROGRESS_AFTER == 0:
                _print(f"{totals.schedules:,} schedules, {len(totals.violations)} violations, {time.monotonic() - begin:.0f} s")
    milliseconds = 1000 * totals.cpu_seconds / max(1, totals.schedules)
    _print(f"\n{totals.schedules:,} schedules, {totals.steps:,} steps, {time.monotonic() - begin:.0f} s")
    _print(f"{milliseconds:.1f} ms of CPU for each")
    return _report(totals)


def _report(totals: Totals) -> int:
    """Say which moves were seen and which promises were broken; explain the first schedule that broke one."""
    legal = {(before.value if before else None, after.value) for before, afters in LEGAL.items() for after in afters}
    _print(f"moves between states: {len(legal & totals.moves.keys())} of {len(legal)} legal ones seen, and no other")
    for before, after in sorted(legal - totals.moves.keys(), key=str):
        _print(f"  not seen: {before} -> {after}")
    for kind, count in Counter(map(_kind, totals.violations.values())).most_common():
        seeds = [seed for seed, message in totals.violations.items() if _kind(message) == kind]
        _print(f"  BROKEN {count} times: {kind}; seeds {', '.join(map(str, seeds[:MAX_SHOWN]))}")
    if totals.violations:
        return _explain(min(totals.violations))
    _print("no promise was broken")
    return 0


def _explain(seed: int) -> int:
    """Play one schedule; if it fails, shrink it first."""
    result = play(seed)
    if result.violation is not None:
        choices = shrink(result.choices, partial(_breaks, kind=_kind(result.violation)))
        _print(f"seed {seed} breaks a promise; shrunk from {len(result.choices)} choices to {len(choices)}:")
        result = play(choices, traces=True)
    else:
        result = play(seed, traces=True)
    _print("\n".join(result.trace))
    _print(result.violation or "no promise was broken")
    return 1 if result.violation else 0


def _breaks(choices: Sequence[int], kind: str) -> bool:
    violation = play(choices).violation
    return violation is not None and _kind(violation) == kind


def _kind(message: str) -> str:
    """Which promise was broken, without the names of the runs."""
    return re.sub(r"\[.*?\]|\(.*?\)|[0-9a-f]{6,}|\d+", "...", message)


def _print(text: str, end: str = "\n") -> None:
    sys.stdout.write(text + end)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
