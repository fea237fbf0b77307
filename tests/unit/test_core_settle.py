"""A lost answer is settled by looking the run up; it is asked again only when it is proved not to be there."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.cancel import cancel
from core.requests import StartCommand
from core.runs import Run, Status
from tests.fakes.glue import Fault
from tests.fakes.loop import UPLOADED, Loop, import_command, labeling_command

EVERY_ORDER = pytest.mark.parametrize("order", [labeling_command(), import_command()], ids=["labeling", "import"])
REST = 121  # seconds, past the grace period


def lost(loop: Loop, order: StartCommand, fault: Fault = Fault.LOST_AFTER) -> Run:
    loop.glue.faults = [fault]
    return loop.run_of(order)


@EVERY_ORDER
def test_a_run_whose_answer_was_lost_is_found(loop: Loop, order: StartCommand) -> None:
    run = lost(loop, order)
    loop.reconcile()
    (started,) = loop.glue.all()
    assert (loop.now(run).status, loop.now(run).task_run_id) == (Status.STARTING, started.task_run_id)
    assert loop.bus.told() == ["TaskRunStarted"]


@pytest.mark.parametrize("ending", [Status.SUCCEEDED, Status.FAILED, Status.STOPPED, Status.TIMEOUT])
def test_a_run_that_is_over_by_then_is_found_too(loop: Loop, ending: Status) -> None:
    run = lost(loop, labeling_command())
    loop.glue.finish_all(ending)
    loop.clock.pass_seconds(REST)
    loop.reconcile()
    assert loop.now(run).status is ending
    assert loop.bus.told()[0] == "TaskRunStarted"
    assert len(loop.bus.told()) == 2


@EVERY_ORDER
def test_not_there_counts_only_after_the_grace_period(loop: Loop, order: StartCommand) -> None:
    run = lost(loop, order, Fault.LOST_BEFORE)
    loop.clock.pass_seconds(REST - 3)
    loop.reconcile()
    assert loop.now(run).status is Status.UNCONFIRMED
    loop.clock.pass_seconds(3)
    loop.reconcile()
    assert loop.now(run).status is Status.STARTING
    assert len(loop.glue.all()) == 1


@EVERY_ORDER
def test_a_run_that_is_listed_late_is_not_started_twice(loop: Loop, order: StartCommand) -> None:
    loop.glue.hidden_for = timedelta(seconds=100)
    run = lost(loop, order)
    for _ in range(5):
        loop.reconcile()
        loop.clock.pass_seconds(30)
    assert loop.now(run).status is Status.STARTING
    assert len(loop.glue.all()) == 1


@EVERY_ORDER
def test_a_limit_reached_by_the_lost_run_itself_is_no_proof(loop: Loop, order: StartCommand) -> None:
    """Listed later than anyone expected; until then, only Glue's limit tells of it."""
    loop.glue.limit = 1
    loop.glue.hidden_for = timedelta(seconds=400)
    run = lost(loop, order)
    for _ in range(10):
        loop.clock.pass_seconds(60)
        loop.reconcile()
    loop.glue.finish_all()
    loop.reconcile()
    assert loop.now(run).status is Status.SUCCEEDED
    assert len(loop.glue.all()) == 1


@pytest.mark.parametrize("fault", [Fault.THROTTLED, Fault.LOST_BEFORE, Fault.LOST_AFTER])
def test_a_second_try_may_fail_as_the_first_did(loop: Loop, fault: Fault) -> None:
    run = lost(loop, labeling_command(), Fault.LOST_BEFORE)
    loop.glue.faults = [fault]
    for _ in range(3):
        loop.clock.pass_seconds(REST)
        loop.reconcile()
    assert loop.now(run).status is Status.STARTING
    assert len(loop.glue.all()) == 1


def test_an_unconfirmed_run_ends_at_its_start_deadline(loop: Loop) -> None:
    loop.glue.limit = 0
    run = lost(loop, labeling_command(), Fault.LOST_BEFORE)
    loop.clock.pass_seconds(loop.policy.start_deadline.total_seconds())
    loop.reconcile()
    assert loop.now(run).status is Status.START_FAILED
    assert loop.bus.told() == ["TaskRunStartFailed"]


def test_a_run_whose_transform_went_away_in_doubt_is_refused(loop: Loop) -> None:
    run = lost(loop, labeling_command(), Fault.LOST_BEFORE)
    del loop.glue.task_runs["tfm-1"]
    loop.clock.pass_seconds(REST)
    loop.reconcile()
    assert loop.now(run).status is Status.REFUSED


def test_two_lost_labeling_sets_are_told_apart_by_their_prefixes(loop: Loop) -> None:
    runs = [lost(loop, labeling_command(key)) for key in ("one", "two")]
    loop.reconcile()
    found = {one.task_run_id: one.path for one in loop.glue.all()}
    for run in runs:
        assert found[loop.now(run).task_run_id or ""] == run.path


def test_an_import_does_not_take_over_an_earlier_run_of_the_same_file(loop: Loop) -> None:
    first = loop.run_of(import_command("one"))
    loop.glue.finish_all()
    loop.reconcile()
    second = lost(loop, import_command("two"), Fault.LOST_BEFORE)
    loop.reconcile()
    assert loop.now(second).status is Status.UNCONFIRMED
    loop.clock.pass_seconds(REST)
    loop.reconcile()
    assert loop.now(second).task_run_id not in (None, loop.now(first).task_run_id)
    assert len(loop.glue.all()) == 2


def test_an_import_is_told_from_runs_that_someone_started_by_hand(loop: Loop) -> None:
    ours = lost(loop, import_command())
    (started,) = loop.glue.all()
    by_hand = [
        replace(started, task_run_id="tsk-other-file", path="s3://bucket/labels/tfm-1/other.csv"),
        replace(started, task_run_id="tsk-replacing", replace_all_labels=True),
        replace(started, task_run_id="tsk-before", started_on=started.started_on - loop.policy.skew * 2),
        replace(started, task_run_id="tsk-evaluation", task_type="EVALUATION", path=None, replace_all_labels=None),
    ]
    loop.glue.task_runs["tfm-1"][:0] = by_hand
    loop.reconcile()
    assert loop.now(ours).task_run_id == started.task_run_id


@pytest.mark.parametrize("ahead", [-60, 60])
@EVERY_ORDER
def test_glues_clock_may_be_a_minute_off(loop: Loop, order: StartCommand, ahead: int) -> None:
    run = lost(loop, order)
    (started,) = loop.glue.all()
    loop.glue.task_runs["tfm-1"] = [replace(started, started_on=started.started_on + timedelta(seconds=ahead))]
    loop.clock.pass_seconds(max(ahead, 0))
    loop.reconcile()
    assert loop.now(run).task_run_id == started.task_run_id


def test_of_several_alike_the_nearest_in_time_is_ours(loop: Loop) -> None:
    run = lost(loop, import_command(path=UPLOADED))
    (started,) = loop.glue.all()
    late = replace(started, task_run_id="tsk-by-hand", started_on=started.started_on + timedelta(seconds=30))
    loop.glue.task_runs["tfm-1"].append(late)
    loop.clock.pass_seconds(40)
    loop.reconcile()
    assert loop.now(run).task_run_id == started.task_run_id


def test_a_run_that_somebody_started_by_hand_a_moment_before_is_not_ours(loop: Loop) -> None:
    run = lost(loop, import_command(path=UPLOADED))
    (started,) = loop.glue.all()
    assert run.asked_on is not None
    before = replace(started, task_run_id="tsk-by-hand", started_on=run.asked_on - timedelta(milliseconds=200))
    loop.glue.task_runs["tfm-1"][:] = [before, replace(started, started_on=run.asked_on + timedelta(milliseconds=900))]
    loop.clock.pass_seconds(40)
    loop.reconcile()
    assert loop.now(run).task_run_id == started.task_run_id


def test_a_doubtful_start_that_was_cancelled_never_starts(loop: Loop) -> None:
    run = lost(loop, labeling_command(), Fault.LOST_BEFORE)
    assert cancel(run.id, loop.deps).status is Status.UNCONFIRMED
    loop.clock.pass_seconds(REST)
    loop.reconcile()
    assert loop.now(run).status is Status.CANCELLED
    assert loop.glue.calls.count("start") == 1
    assert loop.bus.told() == ["TaskRunCancelled"]


def test_a_doubtful_start_that_was_cancelled_and_had_happened_is_stopped(loop: Loop) -> None:
    run = lost(loop, labeling_command())
    cancel(run.id, loop.deps)
    loop.reconcile()
    assert loop.now(run).status is Status.STOPPING
    loop.glue.finish_all(Status.STOPPED)
    loop.reconcile()
    assert loop.bus.told() == ["TaskRunStarted", "TaskRunStopped"]
