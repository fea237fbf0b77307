"""The Glue port: the fake, and the adapter on the Glue emulator, in process and over HTTP on the local cloud."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.errors import ConcurrencyLimitReached, LoopError, NotFoundInGlue, NotStarted, Refused, ResponseLost
from core.runs import Run, Status
from tests.contract.glue_backends import Backend, cloud_backend, fake_backend, in_process_backend
from tests.fakes.glue import Fault


@pytest.fixture(params=["fake", "emulator in process", "emulator on the local cloud"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    with ExitStack() as stack:
        if request.param == "fake":
            yield fake_backend()
        elif request.param == "emulator in process":
            yield stack.enter_context(in_process_backend(tmp_path / "emulator"))
        else:
            yield stack.enter_context(cloud_backend(request.getfixturevalue("cloud")))


def an_hour_ago() -> datetime:
    return datetime.now(UTC) - timedelta(hours=1)


def test_started_labeling_set_is_listed_with_its_output_path(backend: Backend) -> None:
    before = datetime.now(UTC)
    task_run_id = backend.glue.start(backend.labeling)
    (listed,) = backend.glue.list_task_runs(backend.transform_id, an_hour_ago())
    assert listed == backend.glue.get_task_run(backend.transform_id, task_run_id)
    assert (listed.task_run_id, listed.task_type) == (task_run_id, "LABELING_SET_GENERATION")
    assert (listed.path, listed.replace_all_labels) == (backend.labeling.path, None)
    assert (listed.status, listed.completed_on, listed.error) == (Status.STARTING, None, None)
    assert before - timedelta(seconds=1) <= listed.started_on <= datetime.now(UTC) + timedelta(seconds=1)
    assert listed.started_on.tzinfo is UTC


@pytest.mark.parametrize("replaces", [True, False])
def test_started_import_is_listed_with_its_file_and_replace_flag(backend: Backend, replaces: bool) -> None:  # noqa: FBT001  parametrized
    backend.glue.start(replace(backend.importing, replace_all_labels=replaces))
    (listed,) = backend.glue.list_task_runs(backend.transform_id, an_hour_ago())
    assert (listed.task_type, listed.path) == ("IMPORT_LABELS", backend.importing.path)
    assert listed.replace_all_labels is replaces


def import_labels(backend: Backend) -> None:
    backend.finish(backend.glue.start(backend.importing))


def test_started_evaluation_is_listed_without_a_path(backend: Backend) -> None:
    import_labels(backend)
    task_run_id = backend.glue.start(backend.evaluating)
    listed = backend.glue.get_task_run(backend.transform_id, task_run_id)
    assert (listed.task_type, listed.path, listed.replace_all_labels) == ("EVALUATION", None, None)


def test_started_export_is_listed_with_its_own_folder(backend: Backend) -> None:
    import_labels(backend)
    task_run_id = backend.glue.start(backend.exporting)
    listed = backend.glue.get_task_run(backend.transform_id, task_run_id)
    assert (listed.task_type, listed.path, listed.replace_all_labels) == ("EXPORT_LABELS", backend.exporting.path, None)


@pytest.mark.parametrize(("kind", "code"), [("evaluating", "MLTransformNotReadyException"), ("exporting", "NO_LABELS")])
def test_without_labels_the_refusal_says_to_import_some(backend: Backend, kind: str, code: str) -> None:
    with pytest.raises(Refused, match="Import labels first") as refused:
        backend.glue.start(getattr(backend, kind))
    assert refused.value.code == code


def test_two_starts_are_two_task_runs(backend: Backend) -> None:
    assert len({backend.glue.start(backend.labeling) for _ in range(2)}) == 2
    assert len(backend.glue.list_task_runs(backend.transform_id, an_hour_ago())) == 2


def test_listing_reads_all_pages(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.aws.glue._PAGE_SIZE", 1)
    started = {backend.glue.start(backend.labeling) for _ in range(3)}
    assert {run.task_run_id for run in backend.glue.list_task_runs(backend.transform_id, an_hour_ago())} == started


def test_listing_leaves_out_earlier_runs(backend: Backend) -> None:
    backend.glue.start(backend.labeling)
    assert backend.glue.list_task_runs(backend.transform_id, datetime.now(UTC) + timedelta(minutes=1)) == []


def test_finished_run_has_completion_and_execution_times(backend: Backend) -> None:
    task_run_id = backend.glue.start(backend.importing)
    backend.finish(task_run_id)
    ended = backend.glue.get_task_run(backend.transform_id, task_run_id)
    assert ended.status is Status.SUCCEEDED
    assert ended.completed_on is not None
    assert ended.completed_on >= ended.started_on
    assert ended.execution_time is not None
    assert ended.execution_time >= 0
    assert backend.glue.list_task_runs(backend.transform_id, an_hour_ago()) == [ended]


def test_a_fourth_concurrent_run_is_at_the_limit(backend: Backend) -> None:
    first, *_ = [backend.glue.start(run) for run in [backend.importing] * 3]
    for run in (backend.labeling, backend.importing):
        with pytest.raises(ConcurrencyLimitReached, match="has exceeded the transform limit of"):
            backend.glue.start(run)
    assert len(backend.glue.list_task_runs(backend.transform_id, an_hour_ago())) == 3
    backend.finish(first)
    backend.glue.start(backend.labeling)


def test_unknown_transform_is_refused(backend: Backend) -> None:
    for run in (backend.labeling, backend.importing):
        with pytest.raises(Refused, match="Cannot find MLTransform in account") as refused:
            backend.glue.start(replace(run, transform_id="tfm-none"))
        assert refused.value.code == "EntityNotFoundException"


def test_unknown_ids_raise_unknown_to_glue(backend: Backend) -> None:
    task_run_id = backend.glue.start(backend.labeling)
    with pytest.raises(NotFoundInGlue, match="No ML Task Run found for"):
        backend.glue.get_task_run(backend.transform_id, "tsk-none")
    for unknown in (
        lambda: backend.glue.get_task_run("tfm-none", task_run_id),
        lambda: backend.glue.list_task_runs("tfm-none", an_hour_ago()),
        lambda: backend.glue.cancel("tfm-none", task_run_id),
        lambda: backend.glue.cancel(backend.transform_id, "tsk-none"),
    ):
        with pytest.raises(NotFoundInGlue):
            unknown()


def test_cancelled_run_stops(backend: Backend) -> None:
    task_run_id = backend.glue.start(backend.labeling)
    assert backend.glue.cancel(backend.transform_id, task_run_id) in (Status.STOPPING, Status.STOPPED)
    assert backend.glue.get_task_run(backend.transform_id, task_run_id).status in (Status.STOPPING, Status.STOPPED)


def test_cancelling_an_ended_run_changes_nothing(backend: Backend) -> None:
    task_run_id = backend.glue.start(backend.importing)
    backend.finish(task_run_id)
    assert backend.glue.cancel(backend.transform_id, task_run_id) is Status.SUCCEEDED
    assert backend.glue.get_task_run(backend.transform_id, task_run_id).status is Status.SUCCEEDED


@pytest.mark.parametrize("kind", ["labeling", "importing"])
@pytest.mark.parametrize(
    ("fault", "error", "has_started"),
    [(Fault.LOST_AFTER, ResponseLost, True), (Fault.LOST_BEFORE, ResponseLost, False), (Fault.THROTTLED, NotStarted, False)],
)
def test_failed_start_raises_by_whether_glue_may_have_started_it(
    backend: Backend, kind: str, fault: Fault, error: type[LoopError], *, has_started: bool
) -> None:
    run: Run = getattr(backend, kind)
    backend.inject(fault)
    with pytest.raises(error):
        backend.glue.start(run)
    listed: list[Any] = [run.path for run in backend.glue.list_task_runs(backend.transform_id, an_hour_ago())]
    assert listed == ([run.path] if has_started else [])


def test_export_is_listed_with_its_output_folder(backend: Backend) -> None:
    task_run_id = backend.glue.start(backend.importing)
    backend.finish(task_run_id)
    assert backend.glue.get_transform(backend.transform_id).label_count > 0
    exporting = replace(backend.importing, export_to="s3://bucket/backups/0123456789abcdef0123456789abcdef/")
    export_run_id = backend.glue.start_export(exporting)
    listed = backend.glue.get_task_run(backend.transform_id, export_run_id)
    assert (listed.task_type, listed.path) == ("EXPORT_LABELS", exporting.export_to)


def test_transform_has_the_metrics_of_its_latest_evaluation(backend: Backend) -> None:
    import_labels(backend)
    assert backend.glue.get_transform(backend.transform_id).metrics is None
    task_run_id = backend.glue.start(backend.evaluating)
    backend.finish(task_run_id)
    ended = backend.glue.get_task_run(backend.transform_id, task_run_id)
    metrics = backend.glue.get_transform(backend.transform_id).metrics
    assert ended.status is Status.SUCCEEDED, ended
    assert metrics is not None
    assert metrics.f1 is not None
    assert 0 <= metrics.f1 <= 1
    assert metrics.confusion_matrix is not None
    assert metrics.column_importances


def test_transform_has_its_columns_and_label_count(backend: Backend) -> None:
    transform = backend.glue.get_transform(backend.transform_id)
    assert transform.label_count == 0
    assert "id" in transform.columns
    with pytest.raises(NotFoundInGlue):
        backend.glue.get_transform("tfm-none")
