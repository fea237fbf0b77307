"""What must hold after every step, and at the end, in the words of the README's "What callers may rely on"."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from core.events import DetailType
from core.ports import GlueRun
from core.runs import Run, Status
from tests.simulation.environment import Environment

NEVER_STARTED = {Status.REFUSED, Status.START_FAILED, Status.CANCELLED}
EXPORT = "EXPORT_LABELS"


class Violation(AssertionError):
    """A promise was broken; the message says which, and how."""


def check_step(environment: Environment) -> None:
    """What holds at any moment. Raises Violation."""
    _at_most_one_run_per_request(environment)
    _at_most_one_export_per_attempt(environment)
    _event_ids_identify_events(environment)


def check_deadline(environment: Environment) -> None:
    """What holds once the start deadline of every request has passed, even if Glue cannot be looked up. Raises Violation."""
    undecided = {Status.RESERVED, Status.QUEUED, Status.UNCONFIRMED}
    late = [(run.id[:6], run.status.value) for run in environment.ledger.items.values() if run.status in undecided]
    _require(not late, f"past the start deadline, and still undecided: {late}")


def check_end(environment: Environment, accepted: Iterable[str]) -> None:
    """What holds once everything has come to rest. Raises Violation."""
    check_step(environment)
    ledger, glue = environment.ledger, environment.glue
    open_runs = [run for run in ledger.items.values() if not run.status.is_terminal]
    _require(not open_runs, f"still open: {[(run.id[:6], run.status.value) for run in open_runs]}")
    _require(set(accepted) <= set(ledger.items), "an accepted request was forgotten")
    by_id = {task_run.task_run_id: task_run for task_run in glue.all_task_runs()}
    for run in ledger.items.values():
        _ended_as_in_glue(run, by_id)
        _announced(run, environment)
        _exported_before_replace(run, environment)
    owned = {run.task_run_id for run in ledger.items.values()}
    ours = {run.path for run in ledger.items.values() if run.status is not Status.LOST}  # LOST says that Glue may have it
    lost = [t for t in glue.all_task_runs() if t.path in ours and t.task_type != EXPORT and t.task_run_id not in owned]
    _require(not lost, f"Glue ran {[t.task_run_id for t in lost]}, of which the ledger knows nothing")
    _imports_in_order_of_acceptance(environment)
    blocked = [transform for transform, queue in ledger.queues.items() if queue.waiting or queue.importing]
    _require(not blocked, f"the queue of {blocked} is stuck")


def _at_most_one_run_per_request(environment: Environment) -> None:
    """Each request of a schedule names a path of its own, so a path tells a request."""
    runs = Counter(t.path for t in environment.glue.all_task_runs() if t.task_type != EXPORT and t.path)
    twice = [path for path, times in runs.items() if times > 1]
    _require(not twice, f"started twice: {twice}")


def _at_most_one_export_per_attempt(environment: Environment) -> None:
    exports = Counter(t.path for t in environment.glue.all_task_runs() if t.task_type == EXPORT)
    for run in environment.ledger.items.values():
        if run.export_to is not None:
            count = sum(times for path, times in exports.items() if path and path.startswith(run.export_to))
            _require(count <= run.attempt, f"exported {count} times in {run.attempt} attempts")


def _event_ids_identify_events(environment: Environment) -> None:
    identities: dict[str, tuple[str, int, str]] = {}
    for event in environment.bus.events[-20:]:
        identity = (event.change.after.id, event.change.after.attempt, event.detail_type)
        known = identities.setdefault(event.detail.metadata.event_id, identity)
        _require(known == identity, f"one event id for {known} and {identity}")


def _ended_as_in_glue(run: Run, by_id: dict[str, GlueRun]) -> None:
    if run.status in NEVER_STARTED:
        _require(run.task_run_id is None, f"{run.status}, although Glue ran it as {run.task_run_id}")
    elif run.status is not Status.LOST:
        task_run = by_id.get(run.task_run_id or "")
        _require(task_run is not None, f"{run.status}, but Glue has no task run {run.task_run_id}")
        if task_run is not None:
            _require(task_run.status is run.status, f"the ledger says {run.status}, Glue says {task_run.status}")
            _require(task_run.path == run.path, "the task run of another request")


def _announced(run: Run, environment: Environment) -> None:
    events = [event for event in environment.bus.events if event.change.after.id == run.id]
    types = {event.detail_type for event in events if event.change.after.attempt == run.attempt}
    _require(bool(types - {DetailType.STARTED}), f"no event says that a run ended {run.status}")
    ids = {event.detail.metadata.event_id for event in events if event.detail_type is DetailType.STARTED}
    if run.status not in NEVER_STARTED and run.status is not Status.LOST:
        _require(len(ids) == 1, f"{len(ids)} ids of TaskRunStarted for one run")


def _exported_before_replace(run: Run, environment: Environment) -> None:
    if run.export_to is None or run.task_run_id is None:
        return
    task_runs = environment.glue.all_task_runs()
    exports = [t for t in task_runs if t.task_type == EXPORT and t.path and t.path.startswith(run.export_to)]
    ends = [t.completed_on for t in exports if t.status is Status.SUCCEEDED and t.completed_on]
    starts = [t.started_on for t in task_runs if t.task_run_id == run.task_run_id]
    in_time = all(any(end <= start for end in ends) for start in starts)
    _require(in_time, "labels were replaced before their export had succeeded")


def _imports_in_order_of_acceptance(environment: Environment) -> None:
    """By transform: the order in which the ledger took the last attempt of each import, and that in which Glue started them."""
    accepted_at: dict[str, int] = {}
    for number, (before, after) in enumerate(environment.ledger.changes):
        if after.is_import and (before is None or before.attempt != after.attempt):
            accepted_at[after.id] = number
    started_on = {task_run.task_run_id: task_run.started_on for task_run in environment.glue.all_task_runs()}
    by_transform: dict[str | None, list[Run]] = defaultdict(list)
    for run in environment.ledger.items.values():
        if run.is_import and run.task_run_id in started_on:
            by_transform[run.transform_id].append(run)
    for runs in by_transform.values():
        starts = [started_on[run.task_run_id or ""] for run in sorted(runs, key=lambda run: accepted_at[run.id])]
        _require(starts == sorted(starts), "imports ran in another order than they were accepted in")


def _require(holds: bool, message: str) -> None:  # noqa: FBT001  an assertion's first argument
    if not holds:
        raise Violation(message)
