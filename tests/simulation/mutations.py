"""`python -m tests.simulation.mutations`: does the simulator find each mutant of the service, and each fault of the past?

Every mutant is loaded in a process of its own, which plays schedules until a promise breaks. The exit code is 0 only if every
mutant was found, or is listed in `equivalent.py` with the reason why nobody could notice it.
"""

import argparse
import importlib
import importlib.abc
import importlib.machinery
import logging
import multiprocessing
import os
import sys
from collections.abc import Sequence
from functools import partial
from types import ModuleType
from typing import NamedTuple

from tests.simulation.equivalent import EQUIVALENT
from tests.simulation.mutants import Mutant, mutants
from tests.simulation.past_faults import past_faults

SCHEDULES = 10_000
# Imported once, before the processes fork: nothing of the service is among them.
_LIBRARIES = ("aws_lambda_powertools", "botocore.exceptions", "greenlet", "local.cloud.template", "pydantic")
_NAME_WIDTH = 118


class Verdict(NamedTuple):
    """After how many schedules which promise broke; None if none did."""

    name: str
    schedules: int
    violation: str | None


class _Mutated(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from the mutant's source."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(self, name: str, _path: object, _target: object = None) -> importlib.machinery.ModuleSpec | None:
        return importlib.machinery.ModuleSpec(name, self) if name == self._mutant.module else None

    def create_module(self, _spec: object) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._mutant.source, f"<{self._mutant.module}>", "exec"), vars(module))  # noqa: S102  a module's source


def judge(mutant: Mutant, schedules: int) -> Verdict:
    """Play schedules against a mutant until a promise breaks."""
    logging.disable(logging.CRITICAL)
    sys.meta_path.insert(0, _Mutated(mutant))
    try:
        playing = importlib.import_module("tests.simulation.playing")
    except Exception as error:  # noqa: BLE001  a mutant that cannot be imported is found, too
        return Verdict(mutant.name, 0, f"{type(error).__name__}: {error}")
    for seed in range(schedules):
        violation = playing.play(seed).violation
        if violation is not None:
            return Verdict(mutant.name, seed + 1, violation)
    return Verdict(mutant.name, schedules, None)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.mutations", description=__doc__)
    parser.add_argument("--schedules", type=int, default=SCHEDULES, help=f"to play against each ({SCHEDULES})")
    parser.add_argument("--only", default="", help="those whose names contain this")
    parser.add_argument("--skip-equivalent", action="store_true", help="leave out those of which nobody could notice anything")
    parser.add_argument("--past", action="store_true", help="faults of the past instead of mutants")
    arguments = parser.parse_args()
    for library in _LIBRARIES:
        importlib.import_module(library)
    chosen = [mutant for mutant in (past_faults() if arguments.past else mutants()) if arguments.only in mutant.name]
    if arguments.skip_equivalent:
        chosen = [mutant for mutant in chosen if mutant.name not in EQUIVALENT]
    return _report(chosen, arguments.schedules)


def _report(chosen: Sequence[Mutant], schedules: int) -> int:
    survivors, found, equivalent = 0, 0, 0
    with multiprocessing.get_context("fork").Pool(os.cpu_count(), maxtasksperchild=1) as pool:
        for verdict in pool.imap(partial(judge, schedules=schedules), chosen, chunksize=1):
            if verdict.violation is not None:
                found += 1
                _print(f"found after {verdict.schedules:>6,}  {verdict.name[:_NAME_WIDTH]}")
                _print(f"{' ' * 20}{verdict.violation[:_NAME_WIDTH]}")
            elif verdict.name in EQUIVALENT:
                equivalent += 1
                _print(f"equivalent          {verdict.name[:_NAME_WIDTH]}\n{' ' * 20}{EQUIVALENT[verdict.name]}")
            else:
                survivors += 1
                _print(f"SURVIVED   {verdict.schedules:>6,}  {verdict.name}")
    _print(f"{found} found, {equivalent} equivalent, {survivors} survived")
    return 1 if survivors else 0


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
