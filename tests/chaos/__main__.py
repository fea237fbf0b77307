"""`make chaos`: inject every fault at every AWS call of every handler, in real processes, and check the invariants.

The exit code is 0 only if nothing was started twice, nothing was lost and nothing is stuck.
"""

import argparse
import json
import multiprocessing
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf
from multiprocessing.connection import Connection, wait
from pathlib import Path
from random import Random
from typing import Any

from tests.chaos.call_recorder import CallRecorder
from tests.chaos.case_runner import CaseRunner, Report
from tests.chaos.cases import Case
from tests.chaos.cloud import ENVIRONMENT, ChaosCloud, chaos_cloud
from tests.chaos.scenarios import cases
from tests.chaos.violation import Violation
from tests.chaos.warm_process import prepare, share_memory

_FORK = multiprocessing.get_context("fork")
_MAX_DETAIL_CHARS = 500


def main() -> int:
    args = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the cloud and the workers end, too
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder, chaos_cloud(Path(folder) / "cloud") as cloud:
        prepare({**cloud.stack.env, **ENVIRONMENT})
        chosen = list(cases(CallRecorder(cloud).calls_of, args.only))[args.first :: args.every]
        if args.minutes < inf:
            Random(args.first).shuffle(chosen)  # noqa: S311  so that a limited time covers all scenarios
        return run_cases(cloud, chosen, args.workers, args.batch, args.minutes)


def run_cases(cloud: ChaosCloud, chosen: Sequence[Case], workers: int, batch: int, minutes: float) -> int:
    began = time.monotonic()
    _print(f"{len(chosen)} cases on {workers} workers")
    reports = []
    for report in _run_in_workers(cloud, chosen, workers, batch, began + minutes * 60):
        reports.append(report)
        for violation in report.violations:
            _print(f"  {violation.invariant}: {report.case}: {violation.detail}")
        if len(reports) % 100 == 0:
            _print(f"  {len(reports)} of {len(chosen)} after {time.monotonic() - began:.0f} s")
    out_of_time = time.monotonic() > began + minutes * 60
    return summary(reports, time.monotonic() - began, complete=out_of_time or len(reports) == len(chosen))


def summary(reports: Sequence[Report], seconds: float, *, complete: bool) -> int:
    """Print how many cases broke each invariant; the exit code."""
    run = [report for report in reports if report.fault_met]
    broken = Counter(name for report in reports for name in {violation.invariant for violation in report.violations})
    _print(
        f"""
cases run             {len(run)}   (and {len(reports) - len(run)} that never made the faulty call)
duplicates            {broken["duplicate"]}
lost events           {broken["lost"]}
stuck runs            {broken["stuck"]}
not exported          {broken["unexported"]}
file not checked      {broken["unchecked"]}
ledger unlike Glue    {broken["disagreement"]}
wrong responses       {broken["answer"]}
seconds               {seconds:.0f}"""
    )
    if not complete:
        _print("not all cases were run: a worker died")
    return 0 if complete and run and not broken else 1


@dataclass(frozen=True)
class WorkerTask:
    """One worker's cases, `batch` of them at a time; no batch begins after `until` (monotonic seconds)."""

    cases: Sequence[Case]
    batch: int
    until: float


def _run_in_workers(cloud: ChaosCloud, chosen: Sequence[Case], workers: int, batch: int, until: float) -> Iterator[Report]:
    """Reports in the order in which the workers finish the cases."""
    connections: list[Connection] = []
    for number in range(workers):
        receiving, sending = _FORK.Pipe(duplex=False)
        task = WorkerTask(chosen[number::workers], batch, until)
        _FORK.Process(target=_work, args=(cloud, f"worker-{number}", task, sending), daemon=True).start()
        sending.close()
        connections.append(receiving)
    while connections:
        ready: Any = wait(connections)
        for connection in ready:
            try:
                message = json.loads(connection.recv())
            except EOFError:
                connections.remove(connection)
                continue
            violations = tuple(Violation(*fields) for fields in message["violations"])
            yield Report(message["case"], message["faultMet"], violations)


def _work(cloud: ChaosCloud, name: str, task: WorkerTask, connection: Connection) -> None:
    share_memory()
    own_cloud = ChaosCloud(cloud.stack, cloud.held, cloud.log, cloud.pid)  # processes cannot share its clients
    runner = CaseRunner(own_cloud, name, min(task.batch, len(task.cases) or 1))
    for report in runner.run_all(task.cases, until=task.until):
        violations = [[violation.invariant, violation.detail[:_MAX_DETAIL_CHARS]] for violation in report.violations]
        connection.send(json.dumps({"case": report.case, "faultMet": report.fault_met, "violations": violations}))
    connection.close()
    os._exit(0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--workers", type=int, default=4, help="processes that run cases at the same time (4)")
    parser.add_argument("--batch", type=int, default=25, help="cases that a worker settles together (25)")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="run each N-th case only")
    parser.add_argument(
        "--first", type=int, default=0, metavar="K", help="begin with case K (from 0), to run --every's other parts"
    )
    parser.add_argument(
        "--minutes", type=float, default=inf, help="begin no case after so many minutes; runs the cases in random order"
    )
    parser.add_argument("--only", default="", metavar="PREFIX", help="run only the scenarios whose names begin with PREFIX")
    return parser.parse_args()


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
