"""`make chaos`: every fault at every AWS call of every handler, in real processes, and what must hold afterwards.

Exit code 0 only if nothing was started twice, nothing lost, nothing stuck.
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

from tests.chaos.case_run import CaseRun
from tests.chaos.case_runner import CaseRunner, Report
from tests.chaos.cases import Case, Scenario
from tests.chaos.cloud import ENVIRONMENT, Ground, chaos_cloud
from tests.chaos.handler_runs import prepare, share_memory
from tests.chaos.scenarios import cases
from tests.chaos.stream import LedgerStream
from tests.chaos.violation import Violation

_FORK = multiprocessing.get_context("fork")
_SHOWN = 25


def main() -> int:
    asked = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the cloud and the troupes end, too
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder, chaos_cloud(Path(folder) / "cloud") as ground:
        prepare({**ground.stack.env, **ENVIRONMENT})
        chosen = list(cases(Prober(ground).calls_of, asked.only))[asked.first :: asked.every]
        if asked.minutes < inf:
            Random(asked.first).shuffle(chosen)  # noqa: S311  so that each situation has its share of the time
        return play(ground, chosen, asked.troupes, asked.batch, asked.minutes)


def play(ground: Ground, chosen: Sequence[Case], troupes: int, batch: int, minutes: float) -> int:
    began = time.monotonic()
    _say(f"{len(chosen)} cases, {troupes} at a time")
    reports = []
    for report in _at_once(ground, chosen, troupes, batch, began + minutes * 60):
        reports.append(report)
        for violation in report.violations:
            _say(f"  {violation.what}: {report.case}: {violation.detail}")
        if len(reports) % 100 == 0:
            _say(f"  {len(reports)} of {len(chosen)} after {time.monotonic() - began:.0f} s")
    out_of_time = time.monotonic() > began + minutes * 60
    return summary(reports, time.monotonic() - began, complete=out_of_time or len(reports) == len(chosen))


class Prober:
    """Finds out which AWS calls a scene's target makes when nothing goes wrong."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._stream = LedgerStream(ground.client("dynamodb"), ground.client("dynamodbstreams"), ground.table)

    def calls_of(self, scene: Scenario) -> tuple[str, ...]:
        transform = self._ground.transform(f"probe-{scene.name}".replace(" ", "-").replace(",", ""))
        play = CaseRun(self._ground, self._stream, transform, scene)
        play.perform()
        self._ground.release(transform)
        if play.target is None or not play.target.calls or play.target.raised:
            raise RuntimeError(f"the scene {scene.name!r} cannot be played: {play.target}")
        return play.target.calls


def summary(reports: Sequence[Report], seconds: float, *, complete: bool) -> int:
    met = [report for report in reports if report.met]
    found = Counter(what for report in reports for what in {violation.what for violation in report.violations})
    _say(
        f"""
cases run          {len(met)}   ({len(reports) - len(met)} more in which the call with the fault was not made)
duplicates         {found["duplicate"]}
lost events        {found["lost"]}
stuck runs         {found["stuck"]}
not exported       {found["unexported"]}
not checked        {found["unchecked"]}
ledger not Glue's  {found["disagreement"]}
wrong answers      {found["answer"]}
seconds            {seconds:.0f}"""
    )
    if not complete:
        _say("not all cases were played: a troupe died")
    return 0 if complete and met and not found else 1


@dataclass(frozen=True)
class Share:
    """What one troupe plays: so many cases together, none of them begun after `until` (monotonic seconds)."""

    cases: Sequence[Case]
    batch: int
    until: float


def _at_once(ground: Ground, chosen: Sequence[Case], troupes: int, batch: int, until: float) -> Iterator[Report]:
    ends: list[Connection] = []
    for number in range(troupes):
        ours, theirs = _FORK.Pipe(duplex=False)
        mine = Share(chosen[number::troupes], batch, until)
        _FORK.Process(target=_work, args=(ground, f"troupe-{number}", mine, theirs), daemon=True).start()
        theirs.close()
        ends.append(ours)
    while ends:
        ready: Any = wait(ends)
        for end in ready:
            try:
                told = json.loads(end.recv())
            except EOFError:
                ends.remove(end)
                continue
            violations = tuple(Violation(*one) for one in told["violations"])
            yield Report(told["case"], told["met"], violations)


def _work(ground: Ground, name: str, mine: Share, end: Connection) -> None:
    share_memory()
    fresh = Ground(ground.stack, ground.held, ground.log, ground.host)  # connections are not shared between processes
    for report in CaseRunner(fresh, name, min(mine.batch, len(mine.cases) or 1)).play_all(mine.cases, until=mine.until):
        violations = [[violation.what, violation.detail[: _SHOWN * 20]] for violation in report.violations]
        end.send(json.dumps({"case": report.case, "met": report.met, "violations": violations}))
    end.close()
    os._exit(0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--troupes", type=int, default=4, help="processes that play cases at the same time")
    parser.add_argument("--batch", type=int, default=25, help="cases that a troupe settles together")
    parser.add_argument("--every", type=int, default=1, help="play each n-th case only")
    parser.add_argument("--first", type=int, default=0, help="of those, begin with this one (from 0): --every's parts")
    parser.add_argument(
        "--minutes", type=float, default=inf, help="begin no case after so long; they come in random order then"
    )
    parser.add_argument("--only", default="", help="play only the scenes whose names begin with this")
    return parser.parse_args()


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
