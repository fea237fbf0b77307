"""A lost answer is settled by looking the run up; it is asked again only when it is proved not to be there."""

from datetime import timedelta
from unittest.mock import Mock

import pytest

from core.cancel import cancel
from core.errors import GlueUnavailable
from core.requests import StartCommand
from core.runs import Run, Status
from tests.fakes.glue import Fault
from tests.fakes.service import UPLOADED, Service, import_command, labeling_command

EVERY_ORDER = pytest.mark.parametrize("order", [labeling_command(), import_command()], ids=["labeling", "import"])
REST = 121  # seconds, past the grace period


def lost(service: Service, order: StartCommand, fault: Fault = Fault.LOST_AFTER) -> Run:
    service.glue.faults = [fault]
    return service.start_run(order)


@EVERY_ORDER
def test_a_run_whose_answer_was_lost_is_found(service: Service, order: StartCommand) -> None:
    run = lost(service, order)
    service.reconcile()
    (started,) = service.glue.all_task_runs()
    assert (service.reload(run).status, service.reload(run).task_run_id) == (Status.STARTING, started.task_run_id)
    assert service.bus.detail_types() == ["TaskRunStarted"]


@pytest.mark.parametrize("ending", [Status.SUCCEEDED, Status.FAILED, Status.STOPPED, Status.TIMEOUT])
def test_a_run_that_is_over_by_then_is_found_too(service: Service, ending: Status) -> None:
    run = lost(service, labeling_command())
    service.glue.finish_all(ending)
    service.clock.pass_seconds(REST)
    service.reconcile()
    assert service.reload(run).status is ending
    assert service.bus.detail_types()[0] == "TaskRunStarted"
    assert len(service.bus.detail_types()) == 2


@EVERY_ORDER
def test_not_there_counts_only_after_the_grace_period(service: Service, order: StartCommand) -> None:
    run = lost(service, order, Fault.LOST_BEFORE)
    service.clock.pass_seconds(REST - 3)
    service.reconcile()
    assert service.reload(run).status is Status.UNCONFIRMED
    service.clock.pass_seconds(3)
    service.reconcile()
    assert service.reload(run).status is Status.STARTING
    assert len(service.glue.all_task_runs()) == 1


@EVERY_ORDER
def test_a_run_that_is_listed_late_is_not_started_twice(service: Service, order: StartCommand) -> None:
    service.glue.listing_delay = timedelta(seconds=100)
    run = lost(service, order)
    for _ in range(5):
        service.reconcile()
        service.clock.pass_seconds(30)
    assert service.reload(run).status is Status.STARTING
    assert len(service.glue.all_task_runs()) == 1


@EVERY_ORDER
def test_a_limit_reached_by_the_lost_run_itself_is_no_proof(service: Service, order: StartCommand) -> None:
    """Listed later than anyone expected; until then, only Glue's limit tells of it."""
    service.glue.limit = 1
    service.glue.listing_delay = timedelta(seconds=400)
    run = lost(service, order)
    for _ in range(10):
        service.clock.pass_seconds(60)
        service.reconcile()
    service.glue.finish_all()
    service.reconcile()
    assert service.reload(run).status is Status.SUCCEEDED
    assert len(service.glue.all_task_runs()) == 1


@pytest.mark.parametrize("fault", [Fault.THROTTLED, Fault.LOST_BEFORE, Fault.LOST_AFTER])
def test_a_second_try_may_fail_as_the_first_did(service: Service, fault: Fault) -> None:
    run = lost(service, labeling_command(), Fault.LOST_BEFORE)
    service.glue.faults = [fault]
    for _ in range(3):
        service.clock.pass_seconds(REST)
        service.reconcile()
    assert service.reload(run).status is Status.STARTING
    assert len(service.glue.all_task_runs()) == 1


def test_an_unconfirmed_run_ends_at_its_start_deadline(service: Service) -> None:
    service.glue.limit = 0
    run = lost(service, labeling_command(), Fault.LOST_BEFORE)
    service.clock.pass_seconds(service.policy.start_deadline.total_seconds())
    service.reconcile()
    assert service.reload(run).status is Status.START_FAILED
    assert service.bus.detail_types() == ["TaskRunStartFailed"]


def test_a_run_whose_transform_went_away_in_doubt_is_refused(service: Service) -> None:
    run = lost(service, labeling_command(), Fault.LOST_BEFORE)
    del service.glue.task_runs["tfm-1"]
    service.clock.pass_seconds(REST)
    service.reconcile()
    assert service.reload(run).status is Status.REFUSED


def test_two_lost_labeling_sets_are_told_apart_by_their_prefixes(service: Service) -> None:
    runs = [lost(service, labeling_command(key)) for key in ("one", "two")]
    service.reconcile()
    found = {one.task_run_id: one.path for one in service.glue.all_task_runs()}
    for run in runs:
        assert found[service.reload(run).task_run_id or ""] == run.path


def test_an_import_does_not_take_over_an_earlier_run_of_the_same_file(service: Service) -> None:
    first = service.start_run(import_command("one"))
    service.glue.finish_all()
    service.reconcile()
    second = lost(service, import_command("two"), Fault.LOST_BEFORE)
    service.reconcile()
    assert service.reload(second).status is Status.UNCONFIRMED
    service.clock.pass_seconds(REST)
    service.reconcile()
    assert service.reload(second).task_run_id not in (None, service.reload(first).task_run_id)
    assert len(service.glue.all_task_runs()) == 2


@pytest.mark.parametrize("start_deadline", [timedelta(seconds=1), timedelta(seconds=30), timedelta(days=1)])
@pytest.mark.parametrize("age", [timedelta(seconds=100), timedelta(days=3)])
def test_an_import_never_gets_another_requests_run_whatever_the_start_deadline(
    service: Service, start_deadline: timedelta, age: timedelta
) -> None:
    """The other request waited `age`, under a longer deadline than today's, and its run started just before the lost one."""
    service.set_policy(start_deadline=timedelta(days=7))
    service.glue.limit = 0
    first = service.start_run(import_command("one"))
    service.clock.pass_seconds(age.total_seconds())
    service.glue.limit = 3
    service.reconcile()
    service.glue.finish_all()
    service.reconcile()
    assert service.reload(first).status is Status.SUCCEEDED
    service.set_policy(start_deadline=start_deadline)
    service.clock.pass_seconds(100)
    second = lost(service, import_command("two"), Fault.LOST_BEFORE)
    service.reconcile()
    assert (service.reload(second).status, service.reload(second).task_run_id) == (Status.UNCONFIRMED, None)


def test_an_import_is_told_from_runs_that_someone_started_by_hand(service: Service) -> None:
    ours = lost(service, import_command())
    (started,) = service.glue.all_task_runs()
    by_hand = [
        started._replace(task_run_id="tsk-other-file", path="s3://bucket/labels/tfm-1/other.csv"),
        started._replace(task_run_id="tsk-replacing", replace_all_labels=True),
        started._replace(task_run_id="tsk-before", started_on=started.started_on - service.policy.clock_skew * 2),
        started._replace(task_run_id="tsk-evaluation", task_type="EVALUATION", path=None, replace_all_labels=None),
    ]
    service.glue.task_runs["tfm-1"][:0] = by_hand
    service.reconcile()
    assert service.reload(ours).task_run_id == started.task_run_id


@pytest.mark.parametrize("ahead", [-60, 60])
@EVERY_ORDER
def test_glues_clock_may_be_a_minute_off(service: Service, order: StartCommand, ahead: int) -> None:
    run = lost(service, order)
    (started,) = service.glue.all_task_runs()
    service.glue.task_runs["tfm-1"] = [started._replace(started_on=started.started_on + timedelta(seconds=ahead))]
    service.clock.pass_seconds(max(ahead, 0))
    service.reconcile()
    assert service.reload(run).task_run_id == started.task_run_id


def test_of_several_alike_the_nearest_in_time_is_ours(service: Service) -> None:
    run = lost(service, import_command(path=UPLOADED))
    (started,) = service.glue.all_task_runs()
    late = started._replace(task_run_id="tsk-by-hand", started_on=started.started_on + timedelta(seconds=30))
    service.glue.task_runs["tfm-1"].append(late)
    service.clock.pass_seconds(40)
    service.reconcile()
    assert service.reload(run).task_run_id == started.task_run_id


def test_a_run_that_somebody_started_by_hand_a_moment_before_is_not_ours(service: Service) -> None:
    run = lost(service, import_command(path=UPLOADED))
    (started,) = service.glue.all_task_runs()
    assert run.start_attempted_on is not None
    before = started._replace(task_run_id="tsk-by-hand", started_on=run.start_attempted_on - timedelta(milliseconds=200))
    service.glue.task_runs["tfm-1"][:] = [
        before,
        started._replace(started_on=run.start_attempted_on + timedelta(milliseconds=900)),
    ]
    service.clock.pass_seconds(40)
    service.reconcile()
    assert service.reload(run).task_run_id == started.task_run_id


def test_a_doubtful_start_that_was_cancelled_never_starts(service: Service) -> None:
    run = lost(service, labeling_command(), Fault.LOST_BEFORE)
    assert cancel(run.id, service.deps).status is Status.UNCONFIRMED
    service.clock.pass_seconds(REST)
    service.reconcile()
    assert service.reload(run).status is Status.CANCELLED
    assert service.glue.calls.count("start") == 1
    assert service.bus.detail_types() == ["TaskRunCancelled"]


def test_a_doubtful_start_that_was_cancelled_and_had_happened_is_stopped(service: Service) -> None:
    run = lost(service, labeling_command())
    cancel(run.id, service.deps)
    service.reconcile()
    assert service.reload(run).status is Status.STOPPING
    service.glue.finish_all(Status.STOPPED)
    service.reconcile()
    assert service.bus.detail_types() == ["TaskRunStarted", "TaskRunStopped"]


def test_start_that_cannot_be_looked_up_before_its_deadline_ends_lost(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    unconfirmed = lost(service, labeling_command("unconfirmed"))
    service.glue.limit = 0
    queued = service.start_run(labeling_command("queued"))
    monkeypatch.setattr(service.glue, "list_task_runs", Mock(side_effect=GlueUnavailable("AccessDeniedException")))
    service.clock.pass_seconds(REST)
    service.reconcile()
    assert (service.reload(unconfirmed).status, service.reload(queued).status) == (Status.UNCONFIRMED, Status.QUEUED)
    service.clock.pass_seconds(86_400)
    service.reconcile()
    ended = service.reload(unconfirmed)
    assert (ended.status, ended.error and ended.error.code) == (Status.LOST, "START_NOT_SETTLED")
    assert service.reload(queued).status is Status.START_FAILED
    assert sorted(service.bus.detail_types()) == ["TaskRunLost", "TaskRunStartFailed"]


def test_start_lost_just_before_its_deadline_is_given_time_to_be_looked_up(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    service.glue.limit = 0
    run = service.start_run(labeling_command())
    service.clock.pass_seconds(86_400 - 10)
    service.glue.limit, service.glue.faults = 3, [Fault.LOST_AFTER]
    service.reconcile()
    with monkeypatch.context() as throttled:
        throttled.setattr(service.glue, "list_task_runs", Mock(side_effect=GlueUnavailable("ThrottlingException")))
        service.clock.pass_seconds(60)
        service.reconcile()
    service.reconcile()
    assert service.reload(run).status is Status.STARTING
