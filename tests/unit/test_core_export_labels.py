"""Existing labels are exported before an import replaces them."""

from datetime import datetime, timedelta

import pytest

from core.cancel import cancel
from core.ports import GlueRun
from core.runs import Run, Status
from tests.fakes.glue import Fault
from tests.fakes.service import Service, import_command, labeling_command

BACKUPS = "s3://bucket/backups"


@pytest.fixture
def service() -> Service:
    service = Service()
    service.glue.label_count = 30
    return service


def start_replace(service: Service, key: str = "replace") -> Run:
    return service.start_run(import_command(key, replaces=True, export_to=BACKUPS))


def task_types(service: Service) -> list[str]:
    return [task_run.task_type for task_run in service.glue.all_task_runs()]


def next_round(service: Service, seconds: float = 61) -> None:
    service.clock.pass_seconds(seconds)
    service.reconcile()


def test_import_starts_only_after_its_export_succeeded(service: Service) -> None:
    run = start_replace(service)
    assert run.status is Status.QUEUED
    next_round(service)
    next_round(service)
    assert task_types(service) == ["EXPORT_LABELS"]
    assert service.glue.all_task_runs()[0].path == f"{BACKUPS}/{run.id}/"
    service.glue.finish_all()
    next_round(service)
    assert task_types(service) == ["EXPORT_LABELS", "IMPORT_LABELS"]
    assert service.reload(run).status is Status.STARTING


def test_transform_without_labels_is_not_exported(service: Service) -> None:
    service.glue.label_count = 0
    start_replace(service)
    next_round(service)
    assert task_types(service) == ["IMPORT_LABELS"]


@pytest.mark.parametrize("ending", [Status.FAILED, Status.STOPPED, Status.TIMEOUT])
def test_failed_export_ends_its_import_and_starts_the_next_one(service: Service, ending: Status) -> None:
    run = start_replace(service)
    next_import = service.start_run(import_command("other"))
    next_round(service)
    service.glue.finish_all(ending)
    next_round(service)
    ended = service.reload(run)
    assert (ended.status, ended.error and ended.error.code) == (Status.START_FAILED, "EXPORT_FAILED")
    next_round(service)
    assert task_types(service) == ["EXPORT_LABELS", "IMPORT_LABELS"]
    assert service.reload(next_import).status is Status.STARTING
    assert "TaskRunStartFailed" in service.bus.detail_types()


def test_no_import_starts_between_an_export_and_its_import(service: Service) -> None:
    run = start_replace(service)
    next_round(service)
    next_import = service.start_run(import_command("other"))
    service.glue.finish_all()
    next_round(service)
    assert (service.reload(run).status, service.reload(next_import).status) == (Status.STARTING, Status.QUEUED)


def test_export_starts_after_earlier_imports_have_ended(service: Service) -> None:
    service.start_run(import_command("earlier"))
    start_replace(service)
    next_round(service)
    assert task_types(service) == ["IMPORT_LABELS"]
    service.glue.finish_all()
    next_round(service)
    next_round(service)
    assert task_types(service) == ["IMPORT_LABELS", "EXPORT_LABELS"]


def test_export_whose_response_was_lost_is_looked_up(service: Service) -> None:
    run = start_replace(service)
    service.glue.faults = [Fault.LOST_AFTER]
    next_round(service)
    service.glue.finish_all()
    next_round(service)
    assert task_types(service) == ["EXPORT_LABELS", "IMPORT_LABELS"]
    assert service.reload(run).status is Status.STARTING


def test_export_that_did_not_start_is_started_again_after_the_grace_period(service: Service) -> None:
    start_replace(service)
    service.glue.faults = [Fault.LOST_BEFORE]
    next_round(service)
    next_round(service)
    assert task_types(service) == []
    next_round(service)
    assert task_types(service) == ["EXPORT_LABELS"]


@pytest.mark.parametrize("fault", [Fault.THROTTLED, None])
def test_export_waits_while_glue_is_at_its_limit_or_throttles(service: Service, fault: Fault | None) -> None:
    run = start_replace(service)
    if fault:
        service.glue.faults = [fault]
    else:
        service.glue.limit = 0
    next_round(service)
    assert service.reload(run).export_attempted_on is None
    service.glue.limit = 3
    next_round(service)
    assert task_types(service) == ["EXPORT_LABELS"]


def test_refused_export_ends_its_import_as_refused(service: Service) -> None:
    run = start_replace(service)
    service.glue.faults = [Fault.REFUSED]
    next_round(service)
    assert service.reload(run).status is Status.REFUSED
    next_round(service)
    assert task_types(service) == []


def test_cancelled_replace_lets_the_next_import_start(service: Service) -> None:
    run = start_replace(service)
    next_round(service)
    assert cancel(run.id, service.deps).status is Status.CANCELLED
    service.glue.finish_all()
    next_import = service.start_run(import_command("other"))
    next_round(service)
    assert service.reload(next_import).status is Status.STARTING
    assert task_types(service) == ["EXPORT_LABELS", "IMPORT_LABELS"]


def test_labeling_set_starts_while_an_export_runs(service: Service) -> None:
    start_replace(service)
    next_round(service)
    labeling_set = service.start_run(labeling_command("behind"))
    next_round(service)
    assert service.reload(labeling_set).status is Status.STARTING


def test_replace_without_an_export_warns_of_removed_labels(service: Service) -> None:
    run = service.start_run(import_command(replaces=True))
    assert run.warning == "removes 30 labels that were not exported; send exportTo to export them first"
    assert service.start_run(import_command("appends", path="s3://bucket/two.csv")).warning is None


def test_export_is_not_repeated_by_a_reconciler_with_an_old_listing(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    start_replace(service)
    next_round(service)
    service.glue.listing_delay = timedelta(seconds=60)
    list_task_runs = service.glue.list_task_runs

    def list_then_pause(transform_id: str, since: datetime) -> list[GlueRun]:
        task_runs = list_task_runs(transform_id, since)
        service.clock.pass_seconds(121)
        return task_runs

    monkeypatch.setattr(service.glue, "list_task_runs", list_then_pause)
    service.reconcile()
    assert task_types(service) == ["EXPORT_LABELS"]


def test_export_is_not_started_long_after_its_attempt_was_recorded(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    start_replace(service)
    write = service.ledger.write

    def write_then_pause(before: Run | None, after: Run, *, max_queued: int | None = None) -> Run:
        run = write(before, after, max_queued=max_queued)
        service.clock.pass_seconds(31)
        return run

    with monkeypatch.context() as slow:
        slow.setattr(service.ledger, "write", write_then_pause)
        next_round(service)
    assert task_types(service) == []
    next_round(service)
    assert task_types(service) == [], "it may have been started by then, as far as other reconcilers know"
    next_round(service, 121)
    assert task_types(service) == ["EXPORT_LABELS"]
