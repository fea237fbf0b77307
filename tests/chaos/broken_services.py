"""Services broken on purpose, each of which the harness must find: a harness that cannot fail proves nothing."""

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
from tests.chaos.call_recorder import CallRecorder
from tests.chaos.case_run import unchanged
from tests.chaos.case_runner import CaseRunner
from tests.chaos.cases import Case
from tests.chaos.cloud import ENVIRONMENT, chaos_cloud
from tests.chaos.faults import Kind
from tests.chaos.scenarios import cases
from tests.chaos.warm_process import prepare

_SCENARIO = "api labeling set, free"


@dataclass(frozen=True)
class BrokenService:
    """`settle` and `deliver`: see CaseRunner.run_all."""

    name: str
    change_dependencies: Callable[[Dependencies], Dependencies]
    settle: bool = True
    deliver: bool = True


def services() -> Iterator[BrokenService]:
    yield BrokenService("unchanged", unchanged)
    yield BrokenService("the client retries starts", _retry_starts)
    yield BrokenService("starts again without a look-up", _find_no_runs)
    yield BrokenService("the ledger has no conditions", _write_unconditionally)
    yield BrokenService("no reconciler", unchanged, settle=False)
    yield BrokenService("no stream", unchanged, deliver=False)


def _retry_starts(deps: Dependencies) -> Dependencies:
    module: Any = wiring
    client = module.Session().client("glue")
    return replace(deps, glue=GlueTaskRuns(starter=client, client=client))


def _find_no_runs(deps: Dependencies) -> Dependencies:
    class GlueWithoutRuns:
        def __getattr__(self, name: str) -> Any:  # noqa: ANN401  any of Glue's methods
            return getattr(deps.glue, name)

        def list_task_runs(self, _transform_id: str, _since: datetime) -> list[GlueRun]:
            return []

    glue: Any = GlueWithoutRuns()
    return replace(deps, glue=glue)


def _write_unconditionally(deps: Dependencies) -> Dependencies:
    class UnconditionalLedger:
        def __getattr__(self, name: str) -> Any:  # noqa: ANN401  any of the ledger's methods
            return getattr(deps.ledger, name)

        def write(self, before: Run | None, after: Run, *, max_queued: int | None = None) -> Run:
            current = deps.ledger.get(after.id)
            return deps.ledger.write(current or before, after, max_queued=max_queued)

    ledger: Any = UnconditionalLedger()
    return replace(deps, ledger=ledger)


def chosen(all_cases: Sequence[Case]) -> list[Case]:
    """Lost responses and deaths after the start, each followed by the same request after the lease, or by none."""
    kinds = (Kind.RESPONSE_LOST, Kind.KILLED_AFTER)
    names = ("once after the lease, a reconcile after", "never again, a reconcile")
    return [case for case in all_cases if case.fault.kind in kinds and not case.fault.lasting and case.follow_up.name in names]


def main() -> int:
    """Print the number of violations of each invariant by service, as JSON."""
    counts = {}
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder, chaos_cloud(Path(folder) / "cloud") as cloud:
        prepare({**cloud.stack.env, **ENVIRONMENT})
        sample = chosen(list(cases(CallRecorder(cloud).calls_of, _SCENARIO)))
        for number, service in enumerate(services()):
            runner = CaseRunner(cloud, f"broken-{number}", len(sample), service.change_dependencies)
            reports = runner.run_all(sample, settle=service.settle, deliver=service.deliver)
            counts[service.name] = Counter(violation.invariant for report in reports for violation in report.violations)
    sys.stdout.write(json.dumps(counts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
