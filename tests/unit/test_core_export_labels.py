"""Before a replace: the labels that it will forget are exported first."""

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


def replacing(service: Service, key: str = "replace") -> Run:
    return service.start_run(import_command(key, replaces=True, export_to=BACKUPS))


def kinds(service: Service) -> list[str]:
    return [one.task_type for one in service.glue.all_task_runs()]


def later(service: Service, seconds: float = 61) -> None:
    service.clock.pass_seconds(seconds)
    service.reconcile()


def test_the_import_starts_only_after_its_export_succeeded(service: Service) -> None:
    run = replacing(service)
    assert run.status is Status.QUEUED
    later(service)
    later(service)
    assert kinds(service) == ["EXPORT_LABELS"]
    assert service.glue.all_task_runs()[0].path == f"{BACKUPS}/{run.id}/"
    service.glue.finish_all()
    later(service)
    assert kinds(service) == ["EXPORT_LABELS", "IMPORT_LABELS"]
    assert service.reload(run).status is Status.STARTING


def test_without_labels_there_is_nothing_to_export(service: Service) -> None:
    service.glue.label_count = 0
    replacing(service)
    later(service)
    assert kinds(service) == ["IMPORT_LABELS"]


@pytest.mark.parametrize("ending", [Status.FAILED, Status.STOPPED, Status.TIMEOUT])
def test_after_a_failed_export_nothing_is_imported_and_the_next_in_line_goes_on(service: Service, ending: Status) -> None:
    run = replacing(service)
    other = service.start_run(import_command("other"))
    later(service)
    service.glue.finish_all(ending)
    later(service)
    ended = service.reload(run)
    assert (ended.status, ended.error and ended.error.code) == (Status.START_FAILED, "EXPORT_FAILED")
    later(service)
    assert kinds(service) == ["EXPORT_LABELS", "IMPORT_LABELS"]
    assert service.reload(other).status is Status.STARTING
    assert "TaskRunStartFailed" in service.bus.detail_types()


def test_no_other_import_comes_between_the_export_and_its_import(service: Service) -> None:
    run = replacing(service)
    later(service)
    other = service.start_run(import_command("other"))
    service.glue.finish_all()
    later(service)
    assert (service.reload(run).status, service.reload(other).status) == (Status.STARTING, Status.QUEUED)


def test_an_earlier_import_is_over_before_the_export_begins(service: Service) -> None:
    service.start_run(import_command("earlier"))
    replacing(service)
    later(service)
    assert kinds(service) == ["IMPORT_LABELS"]
    service.glue.finish_all()
    later(service)
    later(service)
    assert kinds(service) == ["IMPORT_LABELS", "EXPORT_LABELS"]


def test_an_export_whose_answer_was_lost_is_looked_up(service: Service) -> None:
    run = replacing(service)
    service.glue.faults = [Fault.LOST_AFTER]
    later(service)
    service.glue.finish_all()
    later(service)
    assert kinds(service) == ["EXPORT_LABELS", "IMPORT_LABELS"]
    assert service.reload(run).status is Status.STARTING


def test_an_export_that_never_started_is_asked_for_again_after_the_grace_period(service: Service) -> None:
    replacing(service)
    service.glue.faults = [Fault.LOST_BEFORE]
    later(service)
    later(service)
    assert kinds(service) == []
    later(service)
    assert kinds(service) == ["EXPORT_LABELS"]


@pytest.mark.parametrize("fault", [Fault.THROTTLED, None])
def test_an_export_that_glue_has_no_room_for_waits_and_lets_labeling_sets_pass(service: Service, fault: Fault | None) -> None:
    run = replacing(service)
    if fault:
        service.glue.faults = [fault]
    else:
        service.glue.limit = 0
    later(service)
    assert service.reload(run).export_attempted_on is None
    service.glue.limit = 3
    later(service)
    assert kinds(service) == ["EXPORT_LABELS"]


def test_an_export_that_glue_refuses_ends_the_request(service: Service) -> None:
    run = replacing(service)
    service.glue.faults = [Fault.REFUSED]
    later(service)
    assert service.reload(run).status is Status.REFUSED
    later(service)
    assert kinds(service) == []


def test_a_cancelled_replace_frees_the_line(service: Service) -> None:
    run = replacing(service)
    later(service)
    assert cancel(run.id, service.deps).status is Status.CANCELLED
    service.glue.finish_all()
    other = service.start_run(import_command("other"))
    later(service)
    assert service.reload(other).status is Status.STARTING
    assert kinds(service) == ["EXPORT_LABELS", "IMPORT_LABELS"]


def test_labeling_sets_pass_an_import_whose_export_runs(service: Service) -> None:
    replacing(service)
    later(service)
    behind = service.start_run(labeling_command("behind"))
    later(service)
    assert service.reload(behind).status is Status.STARTING


def test_a_replace_without_an_export_says_what_it_forgets(service: Service) -> None:
    run = service.start_run(import_command(replaces=True))
    assert run.warning == "removes 30 labels that were not exported; send exportTo to export them first"
    assert service.start_run(import_command("appends", path="s3://bucket/two.csv")).warning is None


def test_export_is_not_repeated_by_a_reconciler_with_an_old_listing(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    replacing(service)
    later(service)
    service.glue.listing_delay = timedelta(seconds=60)
    list_task_runs = service.glue.list_task_runs

    def list_then_pause(transform_id: str, since: datetime) -> list[GlueRun]:
        task_runs = list_task_runs(transform_id, since)
        service.clock.pass_seconds(121)
        return task_runs

    monkeypatch.setattr(service.glue, "list_task_runs", list_then_pause)
    service.reconcile()
    assert kinds(service) == ["EXPORT_LABELS"]


def test_export_is_not_started_long_after_its_attempt_was_recorded(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    replacing(service)
    write = service.ledger.write

    def write_then_pause(before: Run | None, after: Run, *, max_queued: int | None = None) -> Run:
        run = write(before, after, max_queued=max_queued)
        service.clock.pass_seconds(31)
        return run

    with monkeypatch.context() as slow:
        slow.setattr(service.ledger, "write", write_then_pause)
        later(service)
    assert kinds(service) == []
    later(service)
    assert kinds(service) == [], "it may have been started by then, as far as other reconcilers know"
    later(service, 121)
    assert kinds(service) == ["EXPORT_LABELS"]
