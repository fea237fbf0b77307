"""After a lost response the run is looked up, and started again only once it is proved not to have started."""

from datetime import timedelta
from unittest.mock import Mock

import pytest

from core.cancel import cancel
from core.errors import GlueUnavailable
from core.requests import StartCommand
from core.runs import Run, Status
from tests.fakes.glue import Fault
from tests.fakes.service import (
    UPLOADED,
    Service,
    evaluation_command,
    export_command,
    import_command,
    labeling_command,
)

EVERY_COMMAND = pytest.mark.parametrize(
    "command",
    [labeling_command(), import_command(), evaluation_command(), export_command()],
    ids=["labeling", "import", "evaluation", "export"],
)
PAST_GRACE_SECONDS = 121  # seconds, past the grace period


def start_with_lost_response(service: Service, command: StartCommand, fault: Fault = Fault.LOST_AFTER) -> Run:
    service.glue.label_count = 30  # without labels, Glue neither evaluates nor exports
    service.glue.faults = [fault]
    return service.start_run(command)


@EVERY_COMMAND
def test_run_whose_response_was_lost_is_found(service: Service, command: StartCommand) -> None:
    run = start_with_lost_response(service, command)
    service.reconcile()
    (started,) = service.glue.all_task_runs()
    assert (service.reload(run).status, service.reload(run).task_run_id) == (Status.STARTING, started.task_run_id)
    assert service.bus.detail_types() == ["TaskRunStarted"]


@pytest.mark.parametrize("ending", [Status.SUCCEEDED, Status.FAILED, Status.STOPPED, Status.TIMEOUT])
def test_run_that_ended_before_it_was_looked_up_is_found(service: Service, ending: Status) -> None:
    run = start_with_lost_response(service, labeling_command())
    service.glue.finish_all(ending)
    service.clock.pass_seconds(PAST_GRACE_SECONDS)
    service.reconcile()
    assert service.reload(run).status is ending
    assert service.bus.detail_types()[0] == "TaskRunStarted"
    assert len(service.bus.detail_types()) == 2


@EVERY_COMMAND
def test_missing_run_is_started_again_only_after_the_grace_period(service: Service, command: StartCommand) -> None:
    run = start_with_lost_response(service, command, Fault.LOST_BEFORE)
    service.clock.pass_seconds(PAST_GRACE_SECONDS - 3)
    service.reconcile()
    assert service.reload(run).status is Status.UNCONFIRMED
    service.clock.pass_seconds(3)
    service.reconcile()
    assert service.reload(run).status is Status.STARTING
    assert len(service.glue.all_task_runs()) == 1


@EVERY_COMMAND
def test_run_that_is_listed_late_is_not_started_twice(service: Service, command: StartCommand) -> None:
    service.glue.listing_delay = timedelta(seconds=100)
    run = start_with_lost_response(service, command)
    for _ in range(5):
        service.reconcile()
        service.clock.pass_seconds(30)
    assert service.reload(run).status is Status.STARTING
    assert len(service.glue.all_task_runs()) == 1


@EVERY_COMMAND
def test_limit_reached_by_the_lost_run_itself_starts_no_second_run(service: Service, command: StartCommand) -> None:
    """The run is listed long after the grace period; until then, only Glue's limit shows that it started."""
    service.glue.limit = 1
    service.glue.listing_delay = timedelta(seconds=400)
    run = start_with_lost_response(service, command)
    for _ in range(10):
        service.clock.pass_seconds(60)
        service.reconcile()
    service.glue.finish_all()
    service.reconcile()
    assert service.reload(run).status is Status.SUCCEEDED
    assert len(service.glue.all_task_runs()) == 1


@pytest.mark.parametrize("fault", [Fault.THROTTLED, Fault.LOST_BEFORE, Fault.LOST_AFTER])
def test_second_attempt_may_fail_too(service: Service, fault: Fault) -> None:
    run = start_with_lost_response(service, labeling_command(), Fault.LOST_BEFORE)
    service.glue.faults = [fault]
    for _ in range(3):
        service.clock.pass_seconds(PAST_GRACE_SECONDS)
        service.reconcile()
    assert service.reload(run).status is Status.STARTING
    assert len(service.glue.all_task_runs()) == 1


def test_unconfirmed_run_ends_at_its_start_deadline(service: Service) -> None:
    service.glue.limit = 0
    run = start_with_lost_response(service, labeling_command(), Fault.LOST_BEFORE)
    service.clock.pass_seconds(service.policy.start_deadline.total_seconds())
    service.reconcile()
    assert service.reload(run).status is Status.START_FAILED
    assert service.bus.detail_types() == ["TaskRunStartFailed"]


def test_unconfirmed_run_of_a_deleted_transform_is_refused(service: Service) -> None:
    run = start_with_lost_response(service, labeling_command(), Fault.LOST_BEFORE)
    del service.glue.task_runs["tfm-1"]
    service.clock.pass_seconds(PAST_GRACE_SECONDS)
    service.reconcile()
    assert service.reload(run).status is Status.REFUSED


def test_lost_labeling_sets_are_found_by_their_prefixes(service: Service) -> None:
    runs = [start_with_lost_response(service, labeling_command(key)) for key in ("one", "two")]
    service.reconcile()
    path_by_id = {task_run.task_run_id: task_run.path for task_run in service.glue.all_task_runs()}
    for run in runs:
        assert path_by_id[service.reload(run).task_run_id or ""] == run.path


def test_lost_import_is_not_matched_to_an_earlier_run_of_the_same_file(service: Service) -> None:
    first = service.start_run(import_command("one"))
    service.glue.finish_all()
    service.reconcile()
    second = start_with_lost_response(service, import_command("two"), Fault.LOST_BEFORE)
    service.reconcile()
    assert service.reload(second).status is Status.UNCONFIRMED
    service.clock.pass_seconds(PAST_GRACE_SECONDS)
    service.reconcile()
    assert service.reload(second).task_run_id not in (None, service.reload(first).task_run_id)
    assert len(service.glue.all_task_runs()) == 2


@pytest.mark.parametrize("start_deadline", [timedelta(seconds=1), timedelta(seconds=30), timedelta(days=1)])
@pytest.mark.parametrize("age", [timedelta(seconds=100), timedelta(days=3)])
def test_lost_import_is_never_matched_to_another_requests_run(
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
    second = start_with_lost_response(service, import_command("two"), Fault.LOST_BEFORE)
    service.reconcile()
    assert (service.reload(second).status, service.reload(second).task_run_id) == (Status.UNCONFIRMED, None)


def test_lost_import_is_not_matched_to_runs_started_by_hand(service: Service) -> None:
    run = start_with_lost_response(service, import_command())
    (started,) = service.glue.all_task_runs()
    by_hand = [
        started._replace(task_run_id="tsk-other-file", path="s3://bucket/labels/tfm-1/other.csv"),
        started._replace(task_run_id="tsk-replacing", replace_all_labels=True),
        started._replace(task_run_id="tsk-before", started_on=started.started_on - service.policy.clock_skew * 2),
        started._replace(task_run_id="tsk-evaluation", task_type="EVALUATION", path=None, replace_all_labels=None),
    ]
    service.glue.task_runs["tfm-1"][:0] = by_hand
    service.reconcile()
    assert service.reload(run).task_run_id == started.task_run_id


@pytest.mark.parametrize("ahead", [-60, 60])
@EVERY_COMMAND
def test_run_is_found_if_glues_clock_differs_by_a_minute(service: Service, command: StartCommand, ahead: int) -> None:
    run = start_with_lost_response(service, command)
    (started,) = service.glue.all_task_runs()
    service.glue.task_runs["tfm-1"] = [started._replace(started_on=started.started_on + timedelta(seconds=ahead))]
    service.clock.pass_seconds(max(ahead, 0))
    service.reconcile()
    assert service.reload(run).task_run_id == started.task_run_id


def test_lost_evaluation_is_not_matched_to_those_of_other_requests_or_to_later_ones_started_by_hand(service: Service) -> None:
    service.glue.label_count = 30
    earlier = service.start_run(evaluation_command("earlier"))
    service.glue.finish_all()
    service.reconcile()
    lost = start_with_lost_response(service, evaluation_command("lost"))
    started = service.glue.all_task_runs()[-1]
    by_hand = started._replace(task_run_id="tsk-by-hand", started_on=started.started_on + timedelta(milliseconds=1))
    service.glue.task_runs["tfm-1"][:0] = [by_hand]
    service.clock.pass_seconds(1)
    service.reconcile()
    assert service.reload(lost).task_run_id == started.task_run_id
    assert service.reload(earlier).task_run_id not in (started.task_run_id, "tsk-by-hand")


def test_lost_export_is_found_by_its_exact_folder(service: Service) -> None:
    run = start_with_lost_response(service, export_command())
    (started,) = service.glue.all_task_runs()
    elsewhere = started._replace(task_run_id="tsk-elsewhere", path=f"{run.path}deeper/")
    service.glue.task_runs["tfm-1"][:0] = [elsewhere]
    service.reconcile()
    assert service.reload(run).task_run_id == started.task_run_id


def test_closest_of_several_similar_runs_is_matched(service: Service) -> None:
    run = start_with_lost_response(service, import_command(path=UPLOADED))
    (started,) = service.glue.all_task_runs()
    late = started._replace(task_run_id="tsk-by-hand", started_on=started.started_on + timedelta(seconds=30))
    service.glue.task_runs["tfm-1"].append(late)
    service.clock.pass_seconds(40)
    service.reconcile()
    assert service.reload(run).task_run_id == started.task_run_id


def test_similar_run_started_just_before_is_not_matched(service: Service) -> None:
    run = start_with_lost_response(service, import_command(path=UPLOADED))
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


def test_cancelled_unconfirmed_run_that_did_not_start_never_starts(service: Service) -> None:
    run = start_with_lost_response(service, labeling_command(), Fault.LOST_BEFORE)
    assert cancel(run.id, service.deps).status is Status.UNCONFIRMED
    service.clock.pass_seconds(PAST_GRACE_SECONDS)
    service.reconcile()
    assert service.reload(run).status is Status.CANCELLED
    assert service.glue.calls.count("start") == 1
    assert service.bus.detail_types() == ["TaskRunCancelled"]


def test_cancelled_unconfirmed_run_that_did_start_is_stopped(service: Service) -> None:
    run = start_with_lost_response(service, labeling_command())
    cancel(run.id, service.deps)
    service.reconcile()
    assert service.reload(run).status is Status.STOPPING
    service.glue.finish_all(Status.STOPPED)
    service.reconcile()
    assert service.bus.detail_types() == ["TaskRunStarted", "TaskRunStopped"]


def test_start_that_cannot_be_looked_up_before_its_deadline_ends_lost(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    unconfirmed = start_with_lost_response(service, labeling_command("unconfirmed"))
    service.glue.limit = 0
    queued = service.start_run(labeling_command("queued"))
    monkeypatch.setattr(service.glue, "list_task_runs", Mock(side_effect=GlueUnavailable("AccessDeniedException")))
    service.clock.pass_seconds(PAST_GRACE_SECONDS)
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
