"""`python -m bench.function_memory`: what each function's memory buys, in milliseconds, and costs, in dollars.

Lambda gives a function a share of a processor by its memory: 1,769 MB is one. CPU time of a cold start (imports and the first
invocation) and of a warm invocation is measured in this machine's process with stubbed AWS calls, and divided by that share;
each AWS call then adds 10 ms of waiting. Prices are the list prices of us-east-1 for arm64; Lambda bills starts, too.
"""

import argparse
import sys
from dataclasses import dataclass
from statistics import median

from bench.builds import ROOT, Build, builds
from bench.rows import in_columns
from bench.running import canned_aws, run_program

SIZES_MB = (256, 512, 1024, 1769)
ONE_PROCESSOR_MB = 1769
CALL_MILLISECONDS = 10
DOLLARS_PER_GB_SECOND = 0.0000133334
_EVENTS = {
    "api": "api-start-labeling-set",
    "bus": "bus-start-labeling-set",
    "schedule": "schedule-tick",
    "announce": "stream-run-started",
}
_ROUNDS, _INVOCATIONS = 5, 200


@dataclass(frozen=True)
class Cost:
    """CPU milliseconds of a cold start and of a warm invocation, and how many AWS calls one makes."""

    cold: float
    warm: float
    calls: float

    def milliseconds(self, cpu: float, megabytes: int) -> float:
        return cpu / min(1, megabytes / ONE_PROCESSOR_MB) + self.calls * CALL_MILLISECONDS

    def dollars_per_million(self, megabytes: int) -> float:
        """Warm invocations; without the $0.20 that a million requests cost at any size."""
        gb_seconds = megabytes / 1024 * self.milliseconds(self.warm, megabytes) / 1000
        return gb_seconds * DOLLARS_PER_GB_SECOND * 1e6


def cost(function: str, ours: Build) -> Cost:
    arguments = (f"handlers.{function}.handler", str(_INVOCATIONS), str(ROOT / "events" / f"{_EVENTS[function]}.json"))
    figures, calls = [], 0
    for _ in range(_ROUNDS):
        with canned_aws() as aws:
            figures.append(run_program(ours, aws, ("bench/invoker.py", *arguments)))
            calls = len(aws.calls())
    return Cost(median(each["cold"] for each in figures), median(each["warm"] for each in figures), calls / (_INVOCATIONS + 1))


def table() -> list[list[str]]:
    heading = ["function", "CPU cold, warm; calls", *(f"{size:,} MB: cold, warm; a million" for size in SIZES_MB)]
    rows = [heading]
    for function in _EVENTS:
        of_it = cost(function, builds().ours)
        row = [function, f"{of_it.cold:.0f}, {of_it.warm:.1f} ms; {of_it.calls:.1f}"]
        for size in SIZES_MB:
            cold, warm = (of_it.milliseconds(cpu, size) for cpu in (of_it.cold, of_it.warm))
            row.append(f"{cold / 1000:.2f} s, {warm:.0f} ms; ${of_it.dollars_per_million(size):.2f}")
        rows.append(row)
    return rows


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    print(in_columns(table()))
    sys.exit(0)
