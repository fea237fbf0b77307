"""What a round of the reconciler records and counts, and which errors it survives."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from core.errors import GlueUnavailable, LedgerUnavailable
from core.reconcile import RoundSummary, reconcile
from core.runs import Run, RunError, Status
from tests.fakes.glue import FakeGlue, Fault
from tests.fakes.service import Service, import_command, labeling_command

PAST_GRACE_SECONDS = 121  # seconds, past the grace period


@pytest.mark.parametrize(
    ("ending", "event", "error"),
    [
        (Status.SUCCEEDED, "TaskRunSucceeded", None),
        (Status.FAILED, "TaskRunFailed", RunError("GLUE_FAILED", "out of memory")),
        (Status.STOPPED, "TaskRunStopped", None),
        (Status.TIMEOUT, "TaskRunTimedOut", RunError("GLUE_TIMEOUT", "out of memory")),
    ],
)
def test_result_in_glue_is_recorded_with_its_times_and_error(
    service: Service, ending: Status, event: str, error: RunError | None
) -> None:
    run = service.start_run(labeling_command())
    glue_run = service.glue.set_status(run.task_run_id or "", ending, "out of memory")
    service.reconcile()
    recorded = service.reload(run)
    assert (recorded.status, recorded.error) == (ending, error)
    assert (recorded.started_on, recorded.completed_on, recorded.execution_time) == (
        glue_run.started_on,
        glue_run.completed_on,
        7,
    )
    assert service.bus.detail_types() == ["TaskRunStarted", event]


def test_failure_without_a_reason_gets_a_message(service: Service) -> None:
    run = service.start_run(labeling_command())
    service.glue.finish_all(Status.FAILED)
    service.reconcile()
    assert service.reload(run).error == RunError("GLUE_FAILED", "Glue gave no reason")


def test_running_and_stopping_are_recorded_without_an_event(service: Service) -> None:
    run = service.start_run(labeling_command())
    for status in (Status.RUNNING, Status.STOPPING):
        service.glue.set_status(run.task_run_id or "", status)
        service.reconcile()
        assert (service.reload(run).status, service.reload(run).completed_on) == (status, None)
    assert service.bus.detail_types() == ["TaskRunStarted"]


def test_unchanged_run_is_not_written(service: Service) -> None:
    service.start(labeling_command())
    written = len(service.ledger.changes)
    assert service.reconcile() == RoundSummary(transforms=1)
    assert len(service.ledger.changes) == written


def test_runs_of_a_transform_share_one_listing(service: Service) -> None:
    for key in ("one", "two", "three"):
        service.start(labeling_command(key))
    service.glue.calls.clear()
    service.reconcile()
    assert service.glue.calls == ["list_task_runs"]


def test_run_that_glue_no_longer_knows_is_lost(service: Service) -> None:
    run = service.start_run(labeling_command())
    service.glue.remove(run.task_run_id or "")
    service.reconcile()
    assert service.reload(run).status is Status.STARTING  # it may only not be listed yet
    service.clock.pass_seconds(PAST_GRACE_SECONDS)
    service.reconcile()
    assert (service.reload(run).status, service.bus.detail_types()) == (Status.LOST, ["TaskRunStarted", "TaskRunLost"])


def test_runs_of_a_deleted_transform_are_lost(service: Service) -> None:
    runs = [service.start_run(labeling_command()), service.start_run(import_command("import"))]
    del service.glue.task_runs["tfm-1"]
    service.clock.pass_seconds(PAST_GRACE_SECONDS)
    service.reconcile()
    assert [service.reload(run).status for run in runs] == [Status.LOST, Status.LOST]


def test_run_missing_in_the_listing_is_read_by_its_id(service: Service) -> None:
    run = service.start_run(labeling_command())
    service.glue.finish_all()
    service.clock.pass_seconds(PAST_GRACE_SECONDS)
    service.glue.list_task_runs = lambda *_: []  # type: ignore[method-assign]  # the listing lags far behind
    service.reconcile()
    assert service.reload(run).status is Status.SUCCEEDED


def test_summary_counts_what_a_round_did(service: Service) -> None:
    service.glue.limit = 2
    runs = [service.start_run(labeling_command(f"key-{number}")) for number in range(4)]
    service.glue.set_status(runs[0].task_run_id or "", Status.SUCCEEDED)
    service.glue.set_status(runs[1].task_run_id or "", Status.RUNNING)
    service.start(labeling_command("other", transform_id="tfm-2"))
    assert service.reconcile() == RoundSummary(transforms=2, changed=2, ended=1, started=1, queued=1)


@pytest.mark.parametrize("fault", [GlueUnavailable("throttled"), LedgerUnavailable()])
def test_failure_of_one_transform_does_not_stop_the_others(service: Service, fault: Exception) -> None:
    for number in ("1", "2"):
        service.start(labeling_command("key", transform_id=f"tfm-{number}", caller=number))
    service.glue.finish_all()
    make_failing(service.glue, "list_task_runs", fault, lambda transform_id, *_: transform_id == "tfm-1")
    summary = service.reconcile()
    assert (summary.transforms, summary.failed, summary.ended) == (2, 1, 1)
    assert sorted(run.status for run in service.ledger.items.values()) == [Status.STARTING, Status.SUCCEEDED]


def test_unexpected_error_in_one_transform_does_not_stop_the_others(service: Service) -> None:
    """Such as a new status of Glue."""
    for number in ("1", "2"):
        service.start(labeling_command("key", transform_id=f"tfm-{number}", caller=number))
    service.glue.finish_all()
    make_failing(
        service.glue,
        "list_task_runs",
        ValueError("'PAUSED' is not a valid Status"),
        lambda transform_id, *_: transform_id == "tfm-1",
    )
    summary = service.reconcile()
    assert (summary.failed, summary.ended) == (1, 1)


def test_failed_listing_changes_nothing_until_the_next_round(service: Service) -> None:
    service.glue.faults = [Fault.LOST_AFTER]
    run = service.start_run(labeling_command())
    list_task_runs = service.glue.list_task_runs
    make_failing(service.glue, "list_task_runs", GlueUnavailable("throttled"), lambda *_: True)
    service.clock.pass_seconds(PAST_GRACE_SECONDS)
    service.reconcile()
    assert service.reload(run).status is Status.UNCONFIRMED
    service.glue.list_task_runs = list_task_runs  # type: ignore[method-assign]  # Glue is back
    service.reconcile()
    assert service.reload(run).status is Status.STARTING
    assert service.glue.calls.count("start") == 1


def test_round_stops_when_its_time_is_up(service: Service) -> None:
    service.glue.task_runs |= {f"tfm-{number}": [] for number in range(100)}
    for number in range(100):
        service.start(labeling_command(transform_id=f"tfm-{number}", caller=str(number)))
    time_is_left = iter([True, True, False])
    summary = reconcile(service.deps, has_time_left=lambda: next(time_is_left))
    assert 0 < summary.transforms < 100
    assert reconcile(service.deps, has_time_left=lambda: False) == RoundSummary()


@pytest.mark.parametrize("fault", [Fault.LOST_AFTER, Fault.LOST_BEFORE])
@pytest.mark.parametrize("command", [labeling_command(), import_command()], ids=["labeling", "import"])
def test_concurrent_reconcilers_settle_a_run_once(service: Service, command: Any, fault: Fault) -> None:  # noqa: ANN401  an Order
    service.glue.faults = [fault]
    run = service.start_run(command)
    service.clock.pass_seconds(PAST_GRACE_SECONDS)
    write = service.ledger.write

    def write_after_another_reconciler(*arguments: Any, **options: Any) -> Run:  # noqa: ANN401  passed on as they came
        service.ledger.write = write  # type: ignore[method-assign]  # the other reconciler is not interrupted
        reconcile(service.deps)
        return write(*arguments, **options)

    service.ledger.write = write_after_another_reconciler  # type: ignore[method-assign]  # a second reconciler before the first one's write
    service.reconcile()
    assert service.reload(run).status is Status.STARTING
    assert len(service.glue.all_task_runs()) == 1
    assert service.bus.detail_types() == ["TaskRunStarted"]


def test_early_cancellation_is_repeated_until_glue_accepts_it(service: Service) -> None:
    run = service.start_run(labeling_command())
    service.ledger.write(service.reload(run), replace(service.reload(run), cancel_requested=True))
    cancel_in_glue = service.glue.cancel
    make_failing(service.glue, "cancel", GlueUnavailable("throttled"), lambda *_: True)
    assert service.reconcile().failed == 1
    service.glue.cancel = cancel_in_glue  # type: ignore[method-assign]  # Glue is back
    service.reconcile()
    assert service.reload(run).status is Status.STOPPING


def make_failing(glue: FakeGlue, name: str, fault: Exception, when: Callable[..., bool]) -> None:
    """Make one of Glue's operations raise `fault` when `when` of its arguments is true."""
    original = getattr(glue, name)

    def failing(*arguments: object) -> object:
        if when(*arguments):
            raise fault
        return original(*arguments)

    setattr(glue, name, failing)


def test_summary_has_the_age_of_the_oldest_run_per_state(service: Service) -> None:
    service.glue.limit = 1
    service.start(labeling_command("first"))
    service.clock.pass_seconds(10)
    service.start(labeling_command("second"))
    service.clock.pass_seconds(20)
    summary = service.reconcile()
    assert (summary.oldest_open_seconds, summary.oldest_unconfirmed_seconds, summary.oldest_queued_seconds) == (30, 0, 20)


def test_failed_transform_counts_in_the_age_of_the_oldest_run(service: Service) -> None:
    service.start(labeling_command())
    service.clock.pass_seconds(30)
    make_failing(service.glue, "list_task_runs", GlueUnavailable("not now"), lambda *_: True)
    assert service.reconcile() == RoundSummary(transforms=1, failed=1, oldest_open_seconds=30)


def test_sum_of_summaries_keeps_the_oldest_age() -> None:
    assert RoundSummary(changed=1, oldest_open_seconds=5) + RoundSummary(changed=2, oldest_open_seconds=3) == RoundSummary(
        changed=3, oldest_open_seconds=5
    )


@pytest.mark.parametrize("older", [Status.STARTING, Status.RUNNING])
def test_old_listing_takes_no_run_back_from_stopping(service: Service, older: Status) -> None:
    run = service.start_run(labeling_command())
    (task_run,) = service.glue.all_task_runs()
    for status in (Status.STOPPING, older):
        service.glue.set_status(task_run.task_run_id, status)
        service.reconcile()
    assert service.reload(run).status is Status.STOPPING


def test_status_that_is_unknown_takes_no_run_back_to_starting(service: Service) -> None:
    run = service.start_run(labeling_command())
    (task_run,) = service.glue.all_task_runs()
    service.glue.set_status(task_run.task_run_id, Status.RUNNING)
    service.reconcile()
    service.glue.set_status(task_run.task_run_id, Status.STARTING)  # as core.aws reads a status that it does not know
    service.reconcile()
    assert service.reload(run).status is Status.RUNNING
    service.glue.finish_all()
    service.reconcile()
    assert service.reload(run).status is Status.SUCCEEDED
