"""What must hold in the end, whatever happened: the contract's promise."""

from core.errors import LoopError
from core.events import DetailType
from core.reconcile import reconcile
from core.requests import StartCommand
from core.runs import Run, Status
from core.start import start
from tests.crash.kill_points import Kill, Killed, killable_dependencies
from tests.fakes.service import Service

NEVER_STARTED = {Status.REFUSED, Status.START_FAILED, Status.CANCELLED}
_MORE_THAN_ENOUGH_ROUNDS = 40


def send(service: Service, order: StartCommand, kill: Kill | None = None) -> bool:
    """Send one request to a process that may be killed; whether it was accepted, as far as its caller knows."""
    try:
        start(order, killable_dependencies(service, kill))
    except (Killed, LoopError):
        return False
    return True


def tick(service: Service, kill: Kill | None = None) -> None:
    """One round of a reconciler that may be killed."""
    try:
        reconcile(killable_dependencies(service, kill))
    except Killed:
        return


def run_to_the_end(service: Service) -> None:
    """Let time pass, the reconciler tick and Glue finish its work, until nothing is open any more."""
    for _ in range(_MORE_THAN_ENOUGH_ROUNDS):
        service.clock.pass_seconds(61)
        tick(service)
        service.glue.finish_all()
        service.deliver()
        if not list(service.ledger.open_runs()):
            break
    service.deliver()


def check_invariants(service: Service, *, accepted: set[str]) -> None:
    """At most one run per request; none lost; ledger and Glue agree; each event at least once, under one id."""
    assert not list(service.ledger.open_runs()), "somebody waits for ever"
    assert accepted <= set(service.ledger.items), "an accepted request was forgotten"
    assert all(not line.waiting and line.importing is None for line in service.ledger.queues.values()), "the line is stuck"
    for run in service.ledger.items.values():
        _check_run(service, run)
    of_ledger = [run.task_run_id for run in service.ledger.items.values() if run.task_run_id]
    of_glue = [one.task_run_id for one in service.glue.all_task_runs() if one.task_type != "EXPORT_LABELS"]
    assert sorted(of_ledger) == sorted(of_glue), f"the ledger knows {len(of_ledger)} runs, Glue has {len(of_glue)}"


def check_exports(service: Service) -> None:
    """One export an attempt, and no replace before its export succeeded; the transform must have had labels all the time."""
    for run in service.ledger.items.values():
        if run.export_to is None:
            continue
        below = run.export_to
        exports = [
            one
            for one in service.glue.all_task_runs()
            if one.task_type == "EXPORT_LABELS" and (one.path or "").startswith(below)
        ]
        assert len(exports) <= run.attempt, "the labels were exported twice"
        over = [one.completed_on for one in exports if one.status is Status.SUCCEEDED]
        for one in service.glue.all_task_runs():
            if one.task_run_id == run.task_run_id:
                assert any(end and end <= one.started_on for end in over), "replaced before the export had succeeded"


def _check_run(service: Service, run: Run) -> None:
    told = [event for event in service.bus.events if event.change.after.id == run.id]
    started = {event.detail.metadata.event_id for event in told if event.detail_type is DetailType.STARTED}
    if run.status in NEVER_STARTED:
        assert run.task_run_id is None, f"{run.status}, and yet Glue runs it"
        assert not started
    else:
        in_glue = next(one for one in service.glue.all_task_runs() if one.task_run_id == run.task_run_id)
        assert run.status is in_glue.status
        assert in_glue.path == run.path, "the run of another request was taken for this one's"
        assert len(started) == 1, "TaskRunStarted must have one id, and must have gone out"
    assert {event.detail_type for event in told} - {DetailType.STARTED}, "no event tells of the end"
