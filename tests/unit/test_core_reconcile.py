"""Ledger and Glue are made to agree: what a round records, counts and survives."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from core.errors import GlueUnavailable, LedgerUnavailable
from core.reconcile import Tally, reconcile
from core.runs import Run, RunError, Status
from tests.fakes.glue import FakeGlue, Fault
from tests.fakes.loop import Loop, import_command, labeling_command

MINUTES = 121  # seconds, past the grace period


@pytest.mark.parametrize(
    ("ending", "event", "error"),
    [
        (Status.SUCCEEDED, "TaskRunSucceeded", None),
        (Status.FAILED, "TaskRunFailed", RunError("GLUE_FAILED", "out of memory")),
        (Status.STOPPED, "TaskRunStopped", None),
        (Status.TIMEOUT, "TaskRunTimedOut", RunError("GLUE_TIMEOUT", "out of memory")),
    ],
)
def test_glues_ending_is_recorded_with_its_times_and_its_reason(
    loop: Loop, ending: Status, event: str, error: RunError | None
) -> None:
    run = loop.run_of(labeling_command())
    in_glue = loop.glue.turn(run.task_run_id or "", ending, "out of memory")
    loop.reconcile()
    now = loop.now(run)
    assert (now.status, now.error) == (ending, error)
    assert (now.started_on, now.completed_on, now.execution_time) == (in_glue.started_on, in_glue.completed_on, 7)
    assert loop.bus.told() == ["TaskRunStarted", event]


def test_a_failure_without_a_reason_says_so(loop: Loop) -> None:
    run = loop.run_of(labeling_command())
    loop.glue.finish_all(Status.FAILED)
    loop.reconcile()
    assert loop.now(run).error == RunError("GLUE_FAILED", "Glue gave no reason")


def test_running_and_stopping_are_states_on_the_way(loop: Loop) -> None:
    run = loop.run_of(labeling_command())
    for status in (Status.RUNNING, Status.STOPPING):
        loop.glue.turn(run.task_run_id or "", status)
        loop.reconcile()
        assert (loop.now(run).status, loop.now(run).completed_on) == (status, None)
    assert loop.bus.told() == ["TaskRunStarted"]


def test_no_news_writes_nothing(loop: Loop) -> None:
    loop.start(labeling_command())
    written = len(loop.ledger.changes)
    assert loop.reconcile() == Tally(transforms=1)
    assert len(loop.ledger.changes) == written


def test_one_listing_serves_all_runs_of_a_transform(loop: Loop) -> None:
    for key in ("one", "two", "three"):
        loop.start(labeling_command(key))
    loop.glue.calls.clear()
    loop.reconcile()
    assert loop.glue.calls == ["runs"]


def test_a_run_that_glue_no_longer_knows_is_lost(loop: Loop) -> None:
    run = loop.run_of(labeling_command())
    loop.glue.forget(run.task_run_id or "")
    loop.reconcile()
    assert loop.now(run).status is Status.STARTING  # it may only not be listed yet
    loop.clock.pass_seconds(MINUTES)
    loop.reconcile()
    assert (loop.now(run).status, loop.bus.told()) == (Status.LOST, ["TaskRunStarted", "TaskRunLost"])


def test_runs_of_a_transform_that_was_deleted_are_lost(loop: Loop) -> None:
    runs = [loop.run_of(labeling_command()), loop.run_of(import_command("import"))]
    del loop.glue.task_runs["tfm-1"]
    loop.clock.pass_seconds(MINUTES)
    loop.reconcile()
    assert [loop.now(run).status for run in runs] == [Status.LOST, Status.LOST]


def test_a_run_that_is_only_missing_in_the_listing_is_followed_all_the_same(loop: Loop) -> None:
    run = loop.run_of(labeling_command())
    loop.glue.finish_all()
    loop.clock.pass_seconds(MINUTES)
    loop.glue.runs = lambda *_: []  # type: ignore[method-assign]  # the listing lags far behind
    loop.reconcile()
    assert loop.now(run).status is Status.SUCCEEDED


def test_the_tally_says_what_a_round_did(loop: Loop) -> None:
    loop.glue.limit = 2
    runs = [loop.run_of(labeling_command(f"key-{number}")) for number in range(4)]
    loop.glue.turn(runs[0].task_run_id or "", Status.SUCCEEDED)
    loop.glue.turn(runs[1].task_run_id or "", Status.RUNNING)
    loop.start(labeling_command("other", transform_id="tfm-2"))
    assert loop.reconcile() == Tally(transforms=2, moved=2, ended=1, started=1, waiting=1)


@pytest.mark.parametrize("fault", [GlueUnavailable("throttled"), LedgerUnavailable()])
def test_one_transforms_trouble_leaves_the_others_in_order(loop: Loop, fault: Exception) -> None:
    for number in ("1", "2"):
        loop.start(labeling_command("key", transform_id=f"tfm-{number}", caller=number))
    loop.glue.finish_all()
    troubled(loop.glue, "runs", fault, lambda transform_id, *_: transform_id == "tfm-1")
    tally = loop.reconcile()
    assert (tally.transforms, tally.failed, tally.ended) == (2, 1, 1)
    assert sorted(run.status for run in loop.ledger.items.values()) == [Status.STARTING, Status.SUCCEEDED]


def test_what_nobody_thought_of_in_one_transform_leaves_the_others_in_order(loop: Loop) -> None:
    """A status that Glue has only since yesterday, say."""
    for number in ("1", "2"):
        loop.start(labeling_command("key", transform_id=f"tfm-{number}", caller=number))
    loop.glue.finish_all()
    troubled(loop.glue, "runs", ValueError("'PAUSED' is not a valid Status"), lambda transform_id, *_: transform_id == "tfm-1")
    tally = loop.reconcile()
    assert (tally.failed, tally.ended) == (1, 1)


def test_a_look_up_that_fails_changes_nothing_and_the_next_round_settles(loop: Loop) -> None:
    loop.glue.faults = [Fault.LOST_AFTER]
    run = loop.run_of(labeling_command())
    look = loop.glue.runs
    troubled(loop.glue, "runs", GlueUnavailable("throttled"), lambda *_: True)
    loop.clock.pass_seconds(MINUTES)
    loop.reconcile()
    assert loop.now(run).status is Status.UNCONFIRMED
    loop.glue.runs = look  # type: ignore[method-assign]  # Glue is back
    loop.reconcile()
    assert loop.now(run).status is Status.STARTING
    assert loop.glue.calls.count("start") == 1


def test_a_round_stops_when_its_time_is_up(loop: Loop) -> None:
    loop.glue.task_runs |= {f"tfm-{number}": [] for number in range(100)}
    for number in range(100):
        loop.start(labeling_command(transform_id=f"tfm-{number}", caller=str(number)))
    time_is_left = iter([True, True, False])
    tally = reconcile(loop.deps, may_go_on=lambda: next(time_is_left))
    assert 0 < tally.transforms < 100
    assert reconcile(loop.deps, may_go_on=lambda: False) == Tally()


@pytest.mark.parametrize("fault", [Fault.LOST_AFTER, Fault.LOST_BEFORE])
@pytest.mark.parametrize("order", [labeling_command(), import_command()], ids=["labeling", "import"])
def test_two_reconcilers_at_the_same_time_settle_a_run_once(loop: Loop, order: Any, fault: Fault) -> None:  # noqa: ANN401  an Order
    loop.glue.faults = [fault]
    run = loop.run_of(order)
    loop.clock.pass_seconds(MINUTES)
    write = loop.ledger.write

    def overtaken(*arguments: Any, **options: Any) -> Run:  # noqa: ANN401  passed on as they came
        loop.ledger.write = write  # type: ignore[method-assign]  # the other one goes through undisturbed
        reconcile(loop.deps)
        return write(*arguments, **options)

    loop.ledger.write = overtaken  # type: ignore[method-assign]  # a second reconciler before the first one's write
    loop.reconcile()
    assert loop.now(run).status is Status.STARTING
    assert len(loop.glue.all()) == 1
    assert loop.bus.told() == ["TaskRunStarted"]


def test_a_cancellation_asked_for_before_the_run_was_known_is_repeated_until_glue_takes_it(loop: Loop) -> None:
    run = loop.run_of(labeling_command())
    loop.ledger.write(loop.now(run), replace(loop.now(run), cancel_requested=True))
    ask = loop.glue.cancel
    troubled(loop.glue, "cancel", GlueUnavailable("throttled"), lambda *_: True)
    assert loop.reconcile().failed == 1
    loop.glue.cancel = ask  # type: ignore[method-assign]  # Glue is back
    loop.reconcile()
    assert loop.now(run).status is Status.STOPPING


def troubled(glue: FakeGlue, name: str, fault: Exception, when: Callable[..., bool]) -> None:
    """Let one of Glue's operations fail where `when` says so."""
    well = getattr(glue, name)

    def failing(*arguments: object) -> object:
        if when(*arguments):
            raise fault
        return well(*arguments)

    setattr(glue, name, failing)


def test_the_tally_says_how_long_the_oldest_have_waited_and_in_what_state(loop: Loop) -> None:
    loop.glue.limit = 1
    loop.start(labeling_command("first"))
    loop.clock.pass_seconds(10)
    loop.start(labeling_command("second"))
    loop.clock.pass_seconds(20)
    tally = loop.reconcile()
    assert (tally.oldest_open, tally.oldest_unconfirmed, tally.oldest_queued) == (30, 0, 20)


def test_a_transform_that_cannot_be_looked_at_still_counts_as_old(loop: Loop) -> None:
    loop.start(labeling_command())
    loop.clock.pass_seconds(30)
    troubled(loop.glue, "runs", GlueUnavailable("not now"), lambda *_: True)
    assert loop.reconcile() == Tally(transforms=1, failed=1, oldest_open=30)


def test_tallies_add_up_but_the_oldest_is_the_oldest() -> None:
    assert Tally(moved=1, oldest_open=5) + Tally(moved=2, oldest_open=3) == Tally(moved=3, oldest_open=5)
