"""Imports of a transform start one at a time, in the order of acceptance."""

import pytest

from core.cancel import cancel
from core.errors import TryAgainLater
from core.runs import Run, Status
from tests.fakes.glue import Fault
from tests.fakes.service import Service, import_command, labeling_command

LEASE_AND_GRACE_SECONDS = 200  # seconds


def upload(service: Service, number: int) -> Run:
    return service.start_run(
        import_command(f"key-{number}", path=f"s3://bucket/labels/tfm-1/{number}.csv", replaces=number % 2 == 0)
    )


def imported(service: Service) -> list[str]:
    return [
        (task_run.path or "").removeprefix("s3://bucket/labels/tfm-1/")
        for task_run in service.glue.all_task_runs()
        if task_run.replace_all_labels is not None
    ]


def open_imports(service: Service) -> int:
    return sum(
        task_run.task_type == "IMPORT_LABELS" and not task_run.status.is_terminal for task_run in service.glue.all_task_runs()
    )


def test_second_import_waits_for_the_first_even_if_glue_has_room(service: Service) -> None:
    first, second = upload(service, 1), upload(service, 2)
    assert (first.status, second.status) == (Status.STARTING, Status.QUEUED)
    service.reconcile()
    assert service.reload(second).status is Status.QUEUED
    service.glue.finish_all()
    service.reconcile()
    assert service.reload(second).status is Status.STARTING


def test_imports_start_one_at_a_time_in_the_order_of_acceptance(service: Service) -> None:
    for number in range(6):
        upload(service, number)
    for _ in range(8):
        assert open_imports(service) <= 1
        service.glue.finish_all()
        service.reconcile()
    assert imported(service) == [f"{number}.csv" for number in range(6)]


def test_new_import_does_not_overtake_a_queued_one(service: Service) -> None:
    upload(service, 1), upload(service, 2)
    service.glue.finish_all()
    third = upload(service, 3)
    assert third.status is Status.QUEUED
    for _ in range(4):
        service.reconcile()
        service.glue.finish_all()
    assert imported(service) == ["1.csv", "2.csv", "3.csv"]


def test_labeling_set_may_start_before_a_blocked_import(service: Service) -> None:
    upload(service, 1)
    blocked = upload(service, 2)
    labeling = service.start_run(labeling_command())
    service.reconcile()
    assert service.reload(labeling).status is Status.STARTING
    assert service.reload(blocked).status is Status.QUEUED


@pytest.mark.parametrize("fault", [Fault.LOST_AFTER, Fault.LOST_BEFORE])
def test_unconfirmed_import_blocks_the_next_one_until_it_is_settled(service: Service, fault: Fault) -> None:
    service.glue.faults = [fault]
    first, second = upload(service, 1), upload(service, 2)
    assert (first.status, second.status) == (Status.UNCONFIRMED, Status.QUEUED)
    for _ in range(4):
        service.clock.pass_seconds(LEASE_AND_GRACE_SECONDS)
        service.reconcile()
        assert open_imports(service) <= 1
    assert service.reload(second).status is Status.QUEUED
    service.glue.finish_all()
    service.reconcile()
    assert imported(service) == ["1.csv", "2.csv"]


@pytest.mark.parametrize("ending", [Status.SUCCEEDED, Status.FAILED, Status.STOPPED, Status.TIMEOUT])
def test_next_import_starts_after_any_end_of_the_first(service: Service, ending: Status) -> None:
    upload(service, 1)
    second = upload(service, 2)
    service.glue.finish_all(ending)
    service.reconcile()
    assert service.reload(second).status is Status.STARTING


def test_next_import_starts_after_a_refused_one(service: Service) -> None:
    service.glue.faults = [Fault.REFUSED]
    assert [upload(service, number).status for number in (1, 2)] == [Status.REFUSED, Status.STARTING]


def test_next_import_starts_after_a_throttled_one(service: Service) -> None:
    service.glue.faults = [Fault.THROTTLED]
    with pytest.raises(TryAgainLater):
        upload(service, 1)
    assert upload(service, 2).status is Status.STARTING


def test_next_import_starts_after_a_lost_one(service: Service) -> None:
    first, second = upload(service, 1), upload(service, 2)
    service.glue.remove(first.task_run_id or "")
    service.clock.pass_seconds(LEASE_AND_GRACE_SECONDS)
    service.reconcile()
    assert [service.reload(run).status for run in (first, second)] == [Status.LOST, Status.STARTING]


def test_cancelled_import_leaves_the_queue(service: Service) -> None:
    upload(service, 1)
    second, third = upload(service, 2), upload(service, 3)
    cancel(second.id, service.deps)
    service.glue.finish_all()
    service.reconcile()
    assert service.reload(third).status is Status.STARTING
    assert imported(service) == ["1.csv", "3.csv"]


def test_imports_queued_at_glues_limit_keep_their_order(service: Service) -> None:
    service.glue.limit = 1
    service.start(labeling_command())
    runs = [upload(service, number) for number in range(3)]
    assert {run.status for run in runs} == {Status.QUEUED}
    for _ in range(4):
        service.glue.finish_all()
        service.reconcile()
    assert imported(service) == ["0.csv", "1.csv", "2.csv"]


def test_imports_of_different_transforms_start_at_once(service: Service) -> None:
    upload(service, 1)
    assert service.start_run(import_command("other", transform_id="tfm-2")).status is Status.STARTING


@pytest.mark.parametrize("seconds", [-2.0, -0.2, 0.2, 2.0])
def test_order_of_acceptance_does_not_depend_on_the_hosts_clocks(service: Service, seconds: float) -> None:
    upload(service, 0)
    for number in (1, 2, 3):
        service.clock.pass_seconds(seconds)  # each request reaches another host
        upload(service, number)
    for _ in range(6):
        service.clock.pass_seconds(10)
        service.glue.finish_all()
        service.reconcile()
    assert imported(service) == ["0.csv", "1.csv", "2.csv", "3.csv"]
