"""A round tracks runs by the index of open runs, and reads only the runs that need more."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from core.open_runs import open_run, task_tag
from core.ports import GlueRun
from core.reconcile import reconcile
from core.requests import StartCommand
from core.runs import Status
from core.start import start
from tests.fakes.glue import Fault
from tests.fakes.service import Service, import_command, labeling_command

PAST_GRACE_SECONDS = 121  # seconds, past the grace period


@dataclass
class RecordingLedger:
    """A ledger that records the names of its calls."""

    ledger: Any
    calls: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def recording(*arguments: object, **named: object) -> object:
            self.calls.append(name)
            return getattr(self.ledger, name)(*arguments, **named)

        return recording


def calls_of_a_round(service: Service) -> list[str]:
    """The calls of one round to the ledger, except the first two: where it begins, and the index."""
    recording = RecordingLedger(service.ledger)
    ledger: Any = recording
    reconcile(replace(service.deps, ledger=ledger))
    service.deliver()
    assert recording.calls[:2] == ["checkpoint", "open_runs"]
    return recording.calls[2:]


def test_runs_in_glue_are_tracked_without_reading_them(service: Service) -> None:
    runs = [service.start_run(labeling_command(f"key-{number}")) for number in range(3)]
    assert calls_of_a_round(service) == []
    service.glue.set_status(runs[0].task_run_id or "", Status.RUNNING)
    service.glue.set_status(runs[1].task_run_id or "", Status.SUCCEEDED)
    assert calls_of_a_round(service) == ["record_progress", "record_progress"]
    assert [service.reload(run).status for run in runs] == [Status.RUNNING, Status.SUCCEEDED, Status.STARTING]


def test_end_of_an_import_reads_and_writes_the_run(service: Service) -> None:
    run = service.start_run(import_command())
    service.glue.set_status(run.task_run_id or "", Status.RUNNING)
    assert calls_of_a_round(service) == ["record_progress"]
    service.glue.set_status(run.task_run_id or "", Status.SUCCEEDED)
    assert calls_of_a_round(service) == ["get", "write"]
    assert service.start_run(import_command("next")).status is Status.STARTING


def test_unconfirmed_start_reads_the_run(service: Service) -> None:
    service.glue.faults = [Fault.LOST_AFTER]
    run = service.start_run(labeling_command())
    assert calls_of_a_round(service) == ["get", "write"]
    assert service.reload(run).status is Status.STARTING


def test_requested_cancellation_reads_the_run(service: Service) -> None:
    run = service.start_run(labeling_command())
    service.ledger.write(run, replace(run, cancel_requested=True))
    assert calls_of_a_round(service) == ["get", "write"]
    assert service.reload(run).status is Status.STOPPING


def test_only_the_first_run_of_a_long_queue_is_read(service: Service) -> None:
    service.glue.limit = 1
    for number in range(50):
        service.start(labeling_command(f"key-{number}"))
        service.clock.pass_seconds(1)
    assert calls_of_a_round(service).count("get") == 1


def test_search_begins_at_the_start_attempt_not_at_the_request(service: Service) -> None:
    service.glue.limit = 0
    service.start(labeling_command())
    service.clock.pass_seconds(40_000)
    service.glue.limit = 1
    attempted_after = service.clock()
    service.reconcile()
    since: list[datetime] = []

    def runs(_: str, since_time: datetime) -> list[GlueRun]:
        since.append(since_time)
        return []

    service.glue.list_task_runs = runs  # type: ignore[method-assign, assignment]  # takes a note
    service.reconcile()
    assert len(since) == 1
    assert since[0] > attempted_after - service.policy.clock_skew


@pytest.mark.parametrize("command", [labeling_command(), import_command()], ids=["labeling", "import"])
@pytest.mark.parametrize("lost", [False, True])
def test_stale_index_changes_nothing(service: Service, command: StartCommand, lost: bool) -> None:  # noqa: FBT001  a test's parameter
    service.glue.faults = [Fault.LOST_AFTER] if lost else []
    run = service.start_run(command)
    stale = [open_run(service.reload(run))]
    service.reconcile()
    service.glue.finish_all()
    service.clock.pass_seconds(PAST_GRACE_SECONDS)
    service.reconcile()
    ended = service.reload(run)
    assert ended.status is Status.SUCCEEDED
    current_open_runs = service.ledger.open_runs
    service.ledger.open_runs = lambda *_: iter(stale)  # type: ignore[method-assign]  # as it was long ago
    service.reconcile()
    service.ledger.open_runs = current_open_runs  # type: ignore[method-assign]
    assert service.reload(run) == ended
    assert service.bus.detail_types() == ["TaskRunStarted", "TaskRunSucceeded"]


def test_runs_requested_at_the_same_time_are_all_started(service: Service) -> None:
    service.glue.limit = 0
    runs = [service.start_run(labeling_command(f"key-{number}")) for number in range(8)]
    service.glue.limit = 8
    any_order = sorted(map(open_run, runs), key=lambda run: run.id, reverse=True)
    service.ledger.open_runs = lambda *_: iter(any_order)  # type: ignore[method-assign]  # the index orders equal keys in no way
    assert service.reconcile().started == 8


def test_thousand_runs_of_a_transform_take_one_listing(service: Service) -> None:
    service.glue.limit = 1_000
    deps = service.deps
    for number in range(1_000):
        start(labeling_command(f"key-{number}"), deps)
    service.glue.set_status(service.glue.all_task_runs()[500].task_run_id, Status.SUCCEEDED)
    service.glue.calls.clear()
    summary = reconcile(deps)
    assert (summary.transforms, summary.ended, service.glue.calls) == (1, 1, ["list_task_runs"])


def test_tags_of_task_runs_are_unique() -> None:
    tags = {task_tag(f"tsk-{number:040x}") for number in range(10_000)}
    assert len(tags) == 10_000
    assert {len(tag) for tag in tags} == {16}


def test_run_that_lasts_for_days_is_still_tracked(service: Service) -> None:
    run = service.start_run(labeling_command())
    service.clock.pass_seconds(timedelta(days=2).total_seconds())
    assert calls_of_a_round(service) == []
    service.glue.finish_all()
    assert calls_of_a_round(service) == ["record_progress"]
    assert service.reload(run).status is Status.SUCCEEDED
