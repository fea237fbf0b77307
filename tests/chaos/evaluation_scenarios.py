"""Scenarios of evaluations and label exports, which wait for imports and, like these, run one at a time."""

from collections.abc import Iterator

from tests.chaos import follow_ups
from tests.chaos.cases import Action, RequestKind, Scenario, Step
from tests.chaos.faults import Kind
from tests.chaos.steps import HAVE_LABELS, HOLD_RUNS, LET_GLUE_FINISH, OPEN_IMPORT, RELEASE_RUNS, send, tick, with_fault

_KINDS: tuple[RequestKind, ...] = ("api evaluation", "bus evaluation", "api export", "bus export")
_STARTS: tuple[tuple[RequestKind, str], ...] = (
    ("api evaluation", "StartMLEvaluationTaskRun"),
    ("api export", "StartExportLabelsTaskRun"),
)


def evaluation_scenarios() -> Iterator[Scenario]:
    sample, reported = follow_ups.START_SAMPLE, follow_ups.START_REPORTED[:1]
    for kind in _KINDS:
        yield Scenario(f"{kind}, labels are there", kind, (HAVE_LABELS,), Action("send"), sample, reported)
    for kind, start in _STARTS:
        behind = (HAVE_LABELS, OPEN_IMPORT)
        yield Scenario(f"{kind}, an import is open", kind, behind, Action("send"), sample, reported)
        for name, before, at in _reconciled(start):
            reconcile, target = follow_ups.RECONCILE, Action("tick", at)
            yield Scenario(f"reconcile, {kind} {name}", kind, (HAVE_LABELS, *before), target, reconcile, reconcile[:1])
        running = (HAVE_LABELS, HOLD_RUNS, send(0), tick(3))
        yield Scenario(f"cancel, {kind} running", kind, running, Action("cancel", 6), follow_ups.CANCEL, follow_ups.CANCEL[:1])
    finished = (HAVE_LABELS, send(0), LET_GLUE_FINISH, tick(5))
    announce = follow_ups.ANNOUNCE
    yield Scenario("announce, api evaluation", "api evaluation", finished, Action("announce"), announce, announce)


def _reconciled(start: str) -> Iterator[tuple[str, tuple[Step, ...], float]]:
    yield "finished", (send(0), LET_GLUE_FINISH), 5
    yield "started, response lost", (with_fault(start, Kind.RESPONSE_LOST), LET_GLUE_FINISH), 5
    yield "not started, response lost", (with_fault(start, Kind.REQUEST_LOST),), 75
    yield "killed before the call of Glue", (with_fault(start, Kind.KILLED_BEFORE),), 63
    yield "queued behind an import, now free", (OPEN_IMPORT, send(0), RELEASE_RUNS, tick(5)), 7
