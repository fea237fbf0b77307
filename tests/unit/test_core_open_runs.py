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
from tests.fakes.loop import Loop, import_command, labeling_command

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


def round_of(loop: Loop) -> list[str]:
    """One round's calls to the ledger but for the reading of the index."""
    noted = Noted(loop.ledger)
    ledger: Any = noted
    reconcile(replace(loop.deps, ledger=ledger))
    loop.deliver()
    return noted.calls[1:]


def test_runs_under_way_are_followed_without_reading_them(loop: Loop) -> None:
    runs = [loop.run_of(labeling_command(f"key-{number}")) for number in range(3)]
    assert round_of(loop) == []
    loop.glue.turn(runs[0].task_run_id or "", Status.RUNNING)
    loop.glue.turn(runs[1].task_run_id or "", Status.SUCCEEDED)
    assert round_of(loop) == ["advance", "advance"]
    assert [loop.now(run).status for run in runs] == [Status.RUNNING, Status.SUCCEEDED, Status.STARTING]


def test_an_imports_end_is_read_whole_as_its_line_moves(loop: Loop) -> None:
    run = loop.run_of(import_command())
    loop.glue.turn(run.task_run_id or "", Status.RUNNING)
    assert round_of(loop) == ["advance"]
    loop.glue.turn(run.task_run_id or "", Status.SUCCEEDED)
    assert round_of(loop) == ["get", "write"]
    assert loop.run_of(import_command("next")).status is Status.STARTING


def test_a_doubtful_start_is_read_whole(loop: Loop) -> None:
    loop.glue.faults = [Fault.LOST_AFTER]
    run = loop.run_of(labeling_command())
    assert round_of(loop) == ["get", "write"]
    assert loop.now(run).status is Status.STARTING


def test_a_run_to_be_cancelled_is_read_whole(loop: Loop) -> None:
    run = loop.run_of(labeling_command())
    loop.ledger.write(run, replace(run, cancel_requested=True))
    assert round_of(loop) == ["get", "write"]
    assert loop.now(run).status is Status.STOPPING


def test_of_a_long_queue_only_whose_turn_it_may_be_is_read(loop: Loop) -> None:
    loop.glue.limit = 1
    for number in range(50):
        loop.start(labeling_command(f"key-{number}"))
        loop.clock.pass_seconds(1)
    assert round_of(loop).count("get") == 1


def test_a_queued_run_is_looked_for_since_it_was_asked_for_and_not_since_it_was_accepted(loop: Loop) -> None:
    loop.glue.limit = 0
    loop.start(labeling_command())
    loop.clock.pass_seconds(40_000)
    loop.glue.limit = 1
    asked_after = loop.clock()
    loop.reconcile()
    since: list[datetime] = []

    def runs(_: str, moment: datetime) -> list[GlueRun]:
        since.append(moment)
        return []

    loop.glue.runs = runs  # type: ignore[method-assign, assignment]  # takes a note
    loop.reconcile()
    assert len(since) == 1
    assert since[0] > asked_after - loop.policy.skew


@pytest.mark.parametrize("order", [labeling_command(), import_command()], ids=["labeling", "import"])
@pytest.mark.parametrize("lost", [False, True])
def test_an_index_that_lags_changes_nothing_and_delays_nothing(loop: Loop, order: StartCommand, lost: bool) -> None:  # noqa: FBT001  a test's parameter
    loop.glue.faults = [Fault.LOST_AFTER] if lost else []
    run = loop.run_of(order)
    stale = [open_run(loop.now(run))]
    loop.reconcile()
    loop.glue.finish_all()
    loop.clock.pass_seconds(MINUTES)
    loop.reconcile()
    ended = loop.now(run)
    assert ended.status is Status.SUCCEEDED
    catch_up = loop.ledger.open_runs
    loop.ledger.open_runs = lambda: iter(stale)  # type: ignore[method-assign]  # as it was long ago
    loop.reconcile()
    loop.ledger.open_runs = catch_up  # type: ignore[method-assign]
    assert loop.now(run) == ended
    assert loop.bus.told() == ["TaskRunStarted", "TaskRunSucceeded"]


def test_two_who_came_in_the_same_moment_are_both_started_in_their_lines_order(loop: Loop) -> None:
    loop.glue.limit = 0
    runs = [loop.run_of(labeling_command(f"key-{number}")) for number in range(8)]
    loop.glue.limit = 8
    as_it_likes = sorted(map(open_run, runs), key=lambda run: run.id, reverse=True)
    loop.ledger.open_runs = lambda: iter(as_it_likes)  # type: ignore[method-assign]  # the index orders equal keys in no way
    assert loop.reconcile().started == 8


def test_rounds_that_are_cut_off_get_through_all_transforms_in_turn(loop: Loop) -> None:
    names = [f"tfm-{number}" for number in range(100)]
    loop.glue.task_runs |= {name: [] for name in names}
    for name in names:
        loop.start(labeling_command(transform_id=name, caller=name))
    loop.glue.finish_all()
    for _ in range(4):
        batches = count()
        reconcile(loop.deps, may_go_on=lambda batches=batches: next(batches) < 1)  # type: ignore[misc]  # a default binds the loop's variable
    assert not list(loop.ledger.open_runs())


def test_a_thousand_runs_of_one_transform_are_one_listing(loop: Loop) -> None:
    loop.glue.limit = 1_000
    deps = loop.deps
    for number in range(1_000):
        start(labeling_command(f"key-{number}"), deps)
    loop.glue.turn(loop.glue.all()[500].task_run_id, Status.SUCCEEDED)
    loop.glue.calls.clear()
    tally = reconcile(deps)
    assert (tally.transforms, tally.ended, loop.glue.calls) == (1, 1, ["runs"])


def test_a_tag_stands_for_one_task_run() -> None:
    tags = {task_tag(f"tsk-{number:040x}") for number in range(10_000)}
    assert len(tags) == 10_000
    assert {len(tag) for tag in tags} == {16}


def test_what_is_under_way_for_days_is_still_looked_for_from_its_start(loop: Loop) -> None:
    run = loop.run_of(labeling_command())
    loop.clock.pass_seconds(timedelta(days=2).total_seconds())
    assert round_of(loop) == []
    loop.glue.finish_all()
    assert round_of(loop) == ["advance"]
    assert loop.now(run).status is Status.SUCCEEDED
