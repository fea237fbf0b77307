"""A round follows runs by what the index tells of them, and reads whole only those that want more than that."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
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

MINUTES = 121  # seconds, past the grace period


@dataclass
class Noted:
    """A ledger, and what is asked of it."""

    ledger: Any
    calls: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def noted(*arguments: object, **named: object) -> object:
            self.calls.append(name)
            return getattr(self.ledger, name)(*arguments, **named)

        return noted


def round_of(service: Service) -> list[str]:
    """One round's calls to the ledger but for the reading of the index."""
    noted = Noted(service.ledger)
    ledger: Any = noted
    reconcile(replace(service.deps, ledger=ledger))
    service.deliver()
    return noted.calls[1:]


def test_runs_under_way_are_followed_without_reading_them(service: Service) -> None:
    runs = [service.start_run(labeling_command(f"key-{number}")) for number in range(3)]
    assert round_of(service) == []
    service.glue.set_status(runs[0].task_run_id or "", Status.RUNNING)
    service.glue.set_status(runs[1].task_run_id or "", Status.SUCCEEDED)
    assert round_of(service) == ["record_progress", "record_progress"]
    assert [service.reload(run).status for run in runs] == [Status.RUNNING, Status.SUCCEEDED, Status.STARTING]


def test_an_imports_end_is_read_whole_as_its_line_moves(service: Service) -> None:
    run = service.start_run(import_command())
    service.glue.set_status(run.task_run_id or "", Status.RUNNING)
    assert round_of(service) == ["record_progress"]
    service.glue.set_status(run.task_run_id or "", Status.SUCCEEDED)
    assert round_of(service) == ["get", "write"]
    assert service.start_run(import_command("next")).status is Status.STARTING


def test_a_doubtful_start_is_read_whole(service: Service) -> None:
    service.glue.faults = [Fault.LOST_AFTER]
    run = service.start_run(labeling_command())
    assert round_of(service) == ["get", "write"]
    assert service.reload(run).status is Status.STARTING


def test_a_run_to_be_cancelled_is_read_whole(service: Service) -> None:
    run = service.start_run(labeling_command())
    service.ledger.write(run, replace(run, cancel_requested=True))
    assert round_of(service) == ["get", "write"]
    assert service.reload(run).status is Status.STOPPING


def test_of_a_long_queue_only_whose_turn_it_may_be_is_read(service: Service) -> None:
    service.glue.limit = 1
    for number in range(50):
        service.start(labeling_command(f"key-{number}"))
        service.clock.pass_seconds(1)
    assert round_of(service).count("get") == 1


def test_a_queued_run_is_looked_for_since_it_was_asked_for_and_not_since_it_was_accepted(service: Service) -> None:
    service.glue.limit = 0
    service.start(labeling_command())
    service.clock.pass_seconds(40_000)
    service.glue.limit = 1
    asked_after = service.clock()
    service.reconcile()
    since: list[datetime] = []

    def runs(_: str, moment: datetime) -> list[GlueRun]:
        since.append(moment)
        return []

    service.glue.list_task_runs = runs  # type: ignore[method-assign, assignment]  # takes a note
    service.reconcile()
    assert len(since) == 1
    assert since[0] > asked_after - service.policy.clock_skew


@pytest.mark.parametrize("order", [labeling_command(), import_command()], ids=["labeling", "import"])
@pytest.mark.parametrize("lost", [False, True])
def test_an_index_that_lags_changes_nothing_and_delays_nothing(service: Service, order: StartCommand, lost: bool) -> None:  # noqa: FBT001  a test's parameter
    service.glue.faults = [Fault.LOST_AFTER] if lost else []
    run = service.start_run(order)
    stale = [open_run(service.reload(run))]
    service.reconcile()
    service.glue.finish_all()
    service.clock.pass_seconds(MINUTES)
    service.reconcile()
    ended = service.reload(run)
    assert ended.status is Status.SUCCEEDED
    catch_up = service.ledger.open_runs
    service.ledger.open_runs = lambda: iter(stale)  # type: ignore[method-assign]  # as it was long ago
    service.reconcile()
    service.ledger.open_runs = catch_up  # type: ignore[method-assign]
    assert service.reload(run) == ended
    assert service.bus.detail_types() == ["TaskRunStarted", "TaskRunSucceeded"]


def test_two_who_came_in_the_same_moment_are_both_started_in_their_lines_order(service: Service) -> None:
    service.glue.limit = 0
    runs = [service.start_run(labeling_command(f"key-{number}")) for number in range(8)]
    service.glue.limit = 8
    as_it_likes = sorted(map(open_run, runs), key=lambda run: run.id, reverse=True)
    service.ledger.open_runs = lambda: iter(as_it_likes)  # type: ignore[method-assign]  # the index orders equal keys in no way
    assert service.reconcile().started == 8


def test_rounds_that_are_cut_off_get_through_all_transforms_in_turn(service: Service) -> None:
    names = [f"tfm-{number}" for number in range(100)]
    service.glue.task_runs |= {name: [] for name in names}
    for name in names:
        service.start(labeling_command(transform_id=name, caller=name))
    service.glue.finish_all()
    for _ in range(4):
        batches = count()
        reconcile(service.deps, has_time_left=lambda batches=batches: next(batches) < 1)  # type: ignore[misc]  # a default binds the loop's variable
    assert not list(service.ledger.open_runs())


def test_a_thousand_runs_of_one_transform_are_one_listing(service: Service) -> None:
    service.glue.limit = 1_000
    deps = service.deps
    for number in range(1_000):
        start(labeling_command(f"key-{number}"), deps)
    service.glue.set_status(service.glue.all_task_runs()[500].task_run_id, Status.SUCCEEDED)
    service.glue.calls.clear()
    summary = reconcile(deps)
    assert (summary.transforms, summary.ended, service.glue.calls) == (1, 1, ["list_task_runs"])


def test_a_tag_stands_for_one_task_run() -> None:
    tags = {task_tag(f"tsk-{number:040x}") for number in range(10_000)}
    assert len(tags) == 10_000
    assert {len(tag) for tag in tags} == {16}


def test_what_is_under_way_for_days_is_still_looked_for_from_its_start(service: Service) -> None:
    run = service.start_run(labeling_command())
    service.clock.pass_seconds(timedelta(days=2).total_seconds())
    assert round_of(service) == []
    service.glue.finish_all()
    assert round_of(service) == ["record_progress"]
    assert service.reload(run).status is Status.SUCCEEDED
