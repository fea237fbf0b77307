"""What must hold at the end of every test: the contract's promise."""

from core.errors import LoopError
from core.events import DetailType
from core.ports import GlueRun
from core.reconcile import reconcile
from core.requests import StartCommand
from core.runs import Run, Status, TaskType
from core.start import start
from tests.crash.kill_points import Kill, Killed, killable_dependencies
from tests.fakes.glue import metrics_of
from tests.fakes.service import Service

NEVER_STARTED = {Status.REFUSED, Status.START_FAILED, Status.CANCELLED}
_MAX_ROUNDS = 40


def send(service: Service, command: StartCommand, kill: Kill | None = None) -> bool:
    """Send a request to a process that may be killed; tell whether the caller got an acceptance."""
    try:
        start(command, killable_dependencies(service, kill))
    except (Killed, LoopError):
        return False
    return True


def tick(service: Service, kill: Kill | None = None) -> None:
    """Run one round of a reconciler that may be killed."""
    try:
        reconcile(killable_dependencies(service, kill))
    except Killed:
        return


def run_to_the_end(service: Service) -> None:
    """Let time pass, the reconciler run and Glue finish its task runs, until no run is open."""
    for _ in range(_MAX_ROUNDS):
        service.clock.pass_seconds(61)
        tick(service)
        service.glue.finish_all()
        service.deliver()
        if not list(service.ledger.open_runs()):
            break
    service.deliver()


def check_invariants(service: Service, *, accepted: set[str]) -> None:
    """Each request started at most one run, none is lost, ledger and Glue agree, and each event was sent, with one id."""
    assert not list(service.ledger.open_runs()), "a run stays open forever"
    assert accepted <= set(service.ledger.items), "an accepted request was forgotten"
    assert all(not queue.waiting and queue.importing is None for queue in service.ledger.queues.values()), "a queue is stuck"
    for run in service.ledger.items.values():
        _check_run(service, run)
    ledger_ids = [run.task_run_id for run in service.ledger.items.values() if run.task_run_id]
    glue_ids = [task_run.task_run_id for task_run in service.glue.all_task_runs() if not _is_before_replace(task_run, service)]
    assert sorted(ledger_ids) == sorted(glue_ids), f"the ledger knows {len(ledger_ids)} runs, Glue has {len(glue_ids)}"


def check_exports(service: Service) -> None:
    """Each attempt exported once, before its import. Requires that the transform had labels all the time."""
    for run in service.ledger.items.values():
        if run.export_to is None:
            continue
        folder = run.export_to
        exports = [
            task_run
            for task_run in service.glue.all_task_runs()
            if task_run.task_type == "EXPORT_LABELS" and (task_run.path or "").startswith(folder)
        ]
        assert len(exports) <= run.attempt, "the labels were exported twice"
        completed_times = [task_run.completed_on for task_run in exports if task_run.status is Status.SUCCEEDED]
        for task_run in service.glue.all_task_runs():
            if task_run.task_run_id == run.task_run_id:
                assert any(completed_on and completed_on <= task_run.started_on for completed_on in completed_times), (
                    "the labels were replaced before their export succeeded"
                )


def _is_before_replace(task_run: GlueRun, service: Service) -> bool:
    """Whether the task run is the export that an import makes before it replaces labels."""
    folders = tuple(run.export_to for run in service.ledger.items.values() if run.export_to)
    return task_run.task_type == "EXPORT_LABELS" and (task_run.path or "").startswith(folders)


def _check_run(service: Service, run: Run) -> None:
    events = [event for event in service.bus.events if event.change.after.id == run.id]
    started = {event.detail.metadata.event_id for event in events if event.detail_type is DetailType.STARTED}
    if run.status in NEVER_STARTED:
        assert run.task_run_id is None, f"{run.status}, but Glue runs it"
        assert not started
    else:
        glue_run = next(task_run for task_run in service.glue.all_task_runs() if task_run.task_run_id == run.task_run_id)
        assert run.status is glue_run.status
        assert glue_run.path == run.path, "it was matched to the task run of another request"
        assert len(started) == 1, "TaskRunStarted was not sent, or with several ids"
        is_evaluated = run.task_type is TaskType.EVALUATION and run.status is Status.SUCCEEDED
        assert run.metrics == (metrics_of(glue_run.task_run_id) if is_evaluated else None), "it has not the metrics of its own"
    assert {event.detail_type for event in events} - {DetailType.STARTED}, "no event was sent for its end"
