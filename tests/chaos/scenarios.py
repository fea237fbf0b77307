"""The scenarios, and the cases they expand to: every fault at every AWS call of each scenario's target."""

from collections.abc import Callable, Iterator

from tests.chaos import follow_ups
from tests.chaos.cases import REQUEST_KINDS, Action, Case, RequestKind, Scenario, Step
from tests.chaos.evaluation_scenarios import evaluation_scenarios
from tests.chaos.faults import Kind, faults_of
from tests.chaos.import_scenarios import import_scenarios
from tests.chaos.steps import HOLD_RUNS, LET_GLUE_FINISH, OPEN_IMPORT, REACH_LIMIT, RELEASE_RUNS, send, tick, with_fault

_START_LABELING_SET, _START_IMPORT = "StartMLLabelingSetGenerationTaskRun", "StartImportLabelsTaskRun"
_REPORTED = (Kind.MODELED, Kind.THROTTLED, Kind.SERVER_ERROR, Kind.UNREACHABLE)


def scenarios() -> Iterator[Scenario]:
    sample, reported = follow_ups.START_SAMPLE, follow_ups.START_REPORTED
    for kind in REQUEST_KINDS:
        after = follow_ups.START if kind in ("api labeling set", "upload") else sample
        yield Scenario(f"{kind}, free", kind, (), Action("send"), after, reported)
    at_limit = (REACH_LIMIT,)
    yield Scenario("api labeling set, at the limit", "api labeling set", at_limit, Action("send"), sample, reported[:1])
    blocked: tuple[RequestKind, ...] = ("api import", "upload")
    for kind in blocked:
        yield Scenario(f"{kind}, an import is open", kind, (OPEN_IMPORT,), Action("send"), sample, reported[:1])
    for name, kind, before, at in _reconciled():
        reconcile = follow_ups.RECONCILE
        yield Scenario(f"reconcile, {name}", kind, before, Action("tick", at), reconcile, reconcile[:1])
    for name, before in _cancelled():
        cancel = follow_ups.CANCEL
        yield Scenario(f"cancel, {name}", "api labeling set", before, Action("cancel", 6), cancel, cancel[:1])
    for kind in REQUEST_KINDS:
        finished = (send(0), LET_GLUE_FINISH, tick(5))
        yield Scenario(f"announce, {kind}", kind, finished, Action("announce"), follow_ups.ANNOUNCE, follow_ups.ANNOUNCE)
    yield from import_scenarios()
    yield from evaluation_scenarios()


def cases(calls_of: Callable[[Scenario], tuple[str, ...]], prefix: str = "") -> Iterator[Case]:
    """The cases of all scenarios whose names begin with `prefix`.

    `calls_of` returns the AWS calls that a scenario's target makes without faults.
    """
    for scenario in scenarios():
        if not scenario.name.startswith(prefix):
            continue
        for fault in faults_of(calls_of(scenario)):
            is_reported = fault.kind in _REPORTED or fault.lasting
            for follow_up in scenario.reported_follow_ups if is_reported else scenario.follow_ups:
                yield Case(scenario, fault, follow_up)


def _reconciled() -> Iterator[tuple[str, RequestKind, tuple[Step, ...], float]]:
    starts: tuple[tuple[RequestKind, str], ...] = (("api labeling set", _START_LABELING_SET), ("upload", _START_IMPORT))
    for kind, start in starts:
        killed = with_fault(start, Kind.KILLED_BEFORE)
        yield f"{kind} started, response lost", kind, (with_fault(start, Kind.RESPONSE_LOST),), 5
        yield f"{kind} started, response lost, much later", kind, (with_fault(start, Kind.RESPONSE_LOST),), 75
        yield f"{kind} not started, response lost", kind, (with_fault(start, Kind.REQUEST_LOST),), 75
        yield f"{kind} killed before the call of Glue", kind, (killed,), 63
        yield f"{kind} killed before the call of Glue, and noticed", kind, (killed, tick(63)), 75
        yield f"{kind} killed after the call of Glue", kind, (with_fault(start, Kind.KILLED_AFTER),), 63
        yield f"{kind} finished", kind, (send(0), LET_GLUE_FINISH), 5
    yield "queued at the limit, now free", "api labeling set", (REACH_LIMIT, send(0), RELEASE_RUNS), 5
    yield "queued at the limit, still full", "api labeling set", (REACH_LIMIT, send(0)), 5
    yield "queued behind an import, now free", "api import", (OPEN_IMPORT, send(0), RELEASE_RUNS, tick(5)), 7
    yield "queued past the start deadline", "api labeling set", (REACH_LIMIT, send(0)), 1100
    cancelled = (with_fault(_START_LABELING_SET, Kind.RESPONSE_LOST), (Action("cancel", 3),))
    yield "cancelled while unconfirmed", "api labeling set", (HOLD_RUNS, *cancelled), 5


def _cancelled() -> Iterator[tuple[str, tuple[Step, ...]]]:
    yield "running", (HOLD_RUNS, send(0), tick(3))
    yield "queued", (REACH_LIMIT, send(0))
    yield "unconfirmed", (HOLD_RUNS, with_fault(_START_LABELING_SET, Kind.RESPONSE_LOST))
    yield "reserved", (with_fault(_START_LABELING_SET, Kind.KILLED_BEFORE),)
