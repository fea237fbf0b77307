"""Before a replace: the labels that it will forget are exported first."""

import pytest

from core.cancel import cancel
from core.runs import Run, Status
from tests.fakes.glue import Fault
from tests.fakes.loop import Loop, import_command, labeling_command

BACKUPS = "s3://bucket/backups"


@pytest.fixture
def loop() -> Loop:
    loop = Loop()
    loop.glue.label_count = 30
    return loop


def replacing(loop: Loop, key: str = "replace") -> Run:
    return loop.run_of(import_command(key, replaces=True, export_to=BACKUPS))


def kinds(loop: Loop) -> list[str]:
    return [one.task_type for one in loop.glue.all()]


def later(loop: Loop, seconds: float = 61) -> None:
    loop.clock.pass_seconds(seconds)
    loop.reconcile()


def test_the_import_starts_only_after_its_export_succeeded(loop: Loop) -> None:
    run = replacing(loop)
    assert run.status is Status.QUEUED
    later(loop)
    later(loop)
    assert kinds(loop) == ["EXPORT_LABELS"]
    assert loop.glue.all()[0].path == f"{BACKUPS}/{run.id}/"
    loop.glue.finish_all()
    later(loop)
    assert kinds(loop) == ["EXPORT_LABELS", "IMPORT_LABELS"]
    assert loop.now(run).status is Status.STARTING


def test_without_labels_there_is_nothing_to_export(loop: Loop) -> None:
    loop.glue.label_count = 0
    replacing(loop)
    later(loop)
    assert kinds(loop) == ["IMPORT_LABELS"]


@pytest.mark.parametrize("ending", [Status.FAILED, Status.STOPPED, Status.TIMEOUT])
def test_after_a_failed_export_nothing_is_imported_and_the_next_in_line_goes_on(loop: Loop, ending: Status) -> None:
    run = replacing(loop)
    other = loop.run_of(import_command("other"))
    later(loop)
    loop.glue.finish_all(ending)
    later(loop)
    ended = loop.now(run)
    assert (ended.status, ended.error and ended.error.code) == (Status.START_FAILED, "EXPORT_FAILED")
    later(loop)
    assert kinds(loop) == ["EXPORT_LABELS", "IMPORT_LABELS"]
    assert loop.now(other).status is Status.STARTING
    assert "TaskRunStartFailed" in loop.bus.told()


def test_no_other_import_comes_between_the_export_and_its_import(loop: Loop) -> None:
    run = replacing(loop)
    later(loop)
    other = loop.run_of(import_command("other"))
    loop.glue.finish_all()
    later(loop)
    assert (loop.now(run).status, loop.now(other).status) == (Status.STARTING, Status.QUEUED)


def test_an_earlier_import_is_over_before_the_export_begins(loop: Loop) -> None:
    loop.run_of(import_command("earlier"))
    replacing(loop)
    later(loop)
    assert kinds(loop) == ["IMPORT_LABELS"]
    loop.glue.finish_all()
    later(loop)
    later(loop)
    assert kinds(loop) == ["IMPORT_LABELS", "EXPORT_LABELS"]


def test_an_export_whose_answer_was_lost_is_looked_up(loop: Loop) -> None:
    run = replacing(loop)
    loop.glue.faults = [Fault.LOST_AFTER]
    later(loop)
    loop.glue.finish_all()
    later(loop)
    assert kinds(loop) == ["EXPORT_LABELS", "IMPORT_LABELS"]
    assert loop.now(run).status is Status.STARTING


def test_an_export_that_never_started_is_asked_for_again_after_the_grace_period(loop: Loop) -> None:
    replacing(loop)
    loop.glue.faults = [Fault.LOST_BEFORE]
    later(loop)
    later(loop)
    assert kinds(loop) == []
    later(loop)
    assert kinds(loop) == ["EXPORT_LABELS"]


@pytest.mark.parametrize("fault", [Fault.THROTTLED, None])
def test_an_export_that_glue_has_no_room_for_waits_and_lets_labeling_sets_pass(loop: Loop, fault: Fault | None) -> None:
    run = replacing(loop)
    if fault:
        loop.glue.faults = [fault]
    else:
        loop.glue.limit = 0
    later(loop)
    assert loop.now(run).export_asked_on is None
    loop.glue.limit = 3
    later(loop)
    assert kinds(loop) == ["EXPORT_LABELS"]


def test_an_export_that_glue_refuses_ends_the_request(loop: Loop) -> None:
    run = replacing(loop)
    loop.glue.faults = [Fault.REFUSED]
    later(loop)
    assert loop.now(run).status is Status.REFUSED
    later(loop)
    assert kinds(loop) == []


def test_a_cancelled_replace_frees_the_line(loop: Loop) -> None:
    run = replacing(loop)
    later(loop)
    assert cancel(run.id, loop.deps).status is Status.CANCELLED
    loop.glue.finish_all()
    other = loop.run_of(import_command("other"))
    later(loop)
    assert loop.now(other).status is Status.STARTING
    assert kinds(loop) == ["EXPORT_LABELS", "IMPORT_LABELS"]


def test_labeling_sets_pass_an_import_whose_export_runs(loop: Loop) -> None:
    replacing(loop)
    later(loop)
    behind = loop.run_of(labeling_command("behind"))
    later(loop)
    assert loop.now(behind).status is Status.STARTING


def test_a_replace_without_an_export_says_what_it_forgets(loop: Loop) -> None:
    run = loop.run_of(import_command(replaces=True))
    assert run.warning == "forgets 30 labels that were not exported; send exportTo to export them first"
    assert loop.run_of(import_command("appends", path="s3://bucket/two.csv")).warning is None
