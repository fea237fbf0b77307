"""A harness that cannot fail proves nothing: services that are broken on purpose, and what it has to find in them."""

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from core.aws.glue import GlueTaskRuns
from core.ports import Dependencies, GlueRun
from core.runs import Run
from handlers import wiring
from tests.chaos.__main__ import Prober
from tests.chaos.case_run import unchanged
from tests.chaos.case_runner import CaseRunner
from tests.chaos.cases import Case
from tests.chaos.cloud import ENVIRONMENT, chaos_cloud
from tests.chaos.faults import Kind
from tests.chaos.handler_runs import prepare
from tests.chaos.scenarios import cases

_SCENE = "api labeling set, free"


@dataclass(frozen=True)
class Broken:
    name: str
    change_world: Callable[[Dependencies], Dependencies]
    settle: bool = True
    deliver: bool = True


def services() -> Iterator[Broken]:
    yield Broken("as it is", unchanged)
    yield Broken("its client repeats a start whose answer was lost", _with_a_client_that_repeats)
    yield Broken("it asks again without looking", _blind)
    yield Broken("its ledger has no conditions", _careless)
    yield Broken("nothing reconciles", unchanged, settle=False)
    yield Broken("nothing announces", unchanged, deliver=False)


def _with_a_client_that_repeats(deps: Dependencies) -> Dependencies:
    module: Any = wiring
    client = module.Session().client("glue")
    return replace(deps, glue=GlueTaskRuns(starter=client, client=client))


def _blind(deps: Dependencies) -> Dependencies:
    class Blind:
        def __getattr__(self, name: str) -> Any:  # noqa: ANN401  any of Glue's methods
            return getattr(deps.glue, name)

        def runs(self, _transform_id: str, _since: datetime) -> list[GlueRun]:
            return []

    glue: Any = Blind()
    return replace(deps, glue=glue)


def _careless(deps: Dependencies) -> Dependencies:
    class Careless:
        def __getattr__(self, name: str) -> Any:  # noqa: ANN401  any of the ledger's methods
            return getattr(deps.ledger, name)

        def write(self, before: Run | None, after: Run, *, max_waiting: int | None = None) -> Run:
            current = deps.ledger.get(after.id)
            return deps.ledger.write(current or before, after, max_waiting=max_waiting)

    ledger: Any = Careless()
    return replace(deps, ledger=ledger)


def chosen(every: Sequence[Case]) -> list[Case]:
    """A lost answer, a death after the start, and the same request once more each time."""
    kinds = (Kind.ANSWER_LOST, Kind.KILLED_AFTER)
    names = ("once after the lease, a reconcile after", "never again, a reconcile")
    return [case for case in every if case.fault.kind in kinds and not case.fault.lasting and case.sequel.name in names]


def main() -> int:
    """Print what was found in each service, as JSON."""
    found = {}
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder, chaos_cloud(Path(folder) / "cloud") as ground:
        prepare({**ground.stack.env, **ENVIRONMENT})
        mine = chosen(list(cases(Prober(ground).calls_of, _SCENE)))
        for number, broken in enumerate(services()):
            troupe = CaseRunner(ground, f"broken-{number}", len(mine), broken.change_world)
            reports = troupe.play_all(mine, settle=broken.settle, deliver=broken.deliver)
            found[broken.name] = Counter(violation.what for report in reports for violation in report.violations)
    sys.stdout.write(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
