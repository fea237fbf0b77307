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
from bench.handler_process import run_program, stub_aws_process
from bench.rows import in_columns

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
        with stub_aws_process() as aws:
            figures.append(run_program(ours, aws, ("bench/invoker.py", *arguments)))
            calls = len(aws.calls())
    return Cost(
        median(figure["cold"] for figure in figures), median(figure["warm"] for figure in figures), calls / (_INVOCATIONS + 1)
    )


def table() -> list[list[str]]:
    heading = ["function", "CPU cold, warm; calls", *(f"{size:,} MB: cold, warm; a million" for size in SIZES_MB)]
    rows = [heading]
    for function in _EVENTS:
        function_cost = cost(function, builds().ours)
        row = [function, f"{function_cost.cold:.0f}, {function_cost.warm:.1f} ms; {function_cost.calls:.1f}"]
        for size in SIZES_MB:
            cold, warm = (function_cost.milliseconds(cpu, size) for cpu in (function_cost.cold, function_cost.warm))
            row.append(f"{cold / 1000:.2f} s, {warm:.0f} ms; ${function_cost.dollars_per_million(size):.2f}")
        rows.append(row)
    return rows


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    print(in_columns(table()))
    sys.exit(0)
