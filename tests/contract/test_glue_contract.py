"""What every Glue does: the fake, and the adapter on our engine, in process and over HTTP on the local cloud."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.errors import AnswerLost, AtLimit, LoopError, NotStarted, Refused, UnknownToGlue
from core.runs import Run, Status
from tests.contract.glue_sides import Side, cloud_side, fake_side, in_process_side
from tests.fakes.glue import Fault

AN_HOUR_AGO = timedelta(hours=-1)


@pytest.fixture(params=["fake", "engine in process", "engine on the local cloud"])
def side(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Side]:
    with ExitStack() as stack:
        if request.param == "fake":
            yield fake_side()
        elif request.param == "engine in process":
            yield stack.enter_context(in_process_side(tmp_path / "engine"))
        else:
            yield stack.enter_context(cloud_side(request.getfixturevalue("cloud")))


def lately() -> datetime:
    return datetime.now(UTC) + AN_HOUR_AGO


def test_a_started_labeling_set_is_listed_with_the_path_that_it_was_asked_with(side: Side) -> None:
    before = datetime.now(UTC)
    task_run_id = side.glue.start(side.labeling)
    (listed,) = side.glue.runs(side.transform_id, lately())
    assert listed == side.glue.run(side.transform_id, task_run_id)
    assert (listed.task_run_id, listed.task_type) == (task_run_id, "LABELING_SET_GENERATION")
    assert (listed.path, listed.replace_all_labels) == (side.labeling.path, None)
    assert (listed.status, listed.completed_on, listed.error) == (Status.STARTING, None, None)
    assert before - timedelta(seconds=1) <= listed.started_on <= datetime.now(UTC) + timedelta(seconds=1)
    assert listed.started_on.tzinfo is UTC


@pytest.mark.parametrize("replaces", [True, False])
def test_a_started_import_is_listed_with_its_file_and_whether_it_replaces(side: Side, replaces: bool) -> None:  # noqa: FBT001  a table's column
    side.glue.start(replace(side.importing, replace_all_labels=replaces))
    (listed,) = side.glue.runs(side.transform_id, lately())
    assert (listed.task_type, listed.path) == ("IMPORT_LABELS", side.importing.path)
    assert listed.replace_all_labels is replaces


def test_asked_twice_it_starts_twice(side: Side) -> None:
    assert len({side.glue.start(side.labeling) for _ in range(2)}) == 2
    assert len(side.glue.runs(side.transform_id, lately())) == 2


def test_a_listing_of_many_pages_is_whole(side: Side, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.aws.glue._PAGE", 1)
    started = {side.glue.start(side.labeling) for _ in range(3)}
    assert {one.task_run_id for one in side.glue.runs(side.transform_id, lately())} == started


def test_what_started_earlier_is_not_listed(side: Side) -> None:
    side.glue.start(side.labeling)
    assert side.glue.runs(side.transform_id, datetime.now(UTC) + timedelta(minutes=1)) == []


def test_a_finished_run_tells_when_and_how_long(side: Side) -> None:
    task_run_id = side.glue.start(side.importing)
    side.finish(task_run_id)
    over = side.glue.run(side.transform_id, task_run_id)
    assert over.status is Status.SUCCEEDED
    assert over.completed_on is not None
    assert over.completed_on >= over.started_on
    assert over.execution_time is not None
    assert over.execution_time >= 0
    assert side.glue.runs(side.transform_id, lately()) == [over]


def test_three_runs_at_a_time_and_no_more(side: Side) -> None:
    first, *_ = [side.glue.start(run) for run in [side.importing] * 3]
    for run in (side.labeling, side.importing):
        with pytest.raises(AtLimit, match="has exceeded the transform limit of"):
            side.glue.start(run)
    assert len(side.glue.runs(side.transform_id, lately())) == 3
    side.finish(first)
    side.glue.start(side.labeling)


def test_an_unknown_transform_is_refused_for_good(side: Side) -> None:
    for run in (side.labeling, side.importing):
        with pytest.raises(Refused, match="Cannot find MLTransform in account") as refused:
            side.glue.start(replace(run, transform_id="tfm-none"))
        assert refused.value.code == "EntityNotFoundException"


def test_what_glue_does_not_know_has_a_name(side: Side) -> None:
    task_run_id = side.glue.start(side.labeling)
    with pytest.raises(UnknownToGlue, match="No ML Task Run found for"):
        side.glue.run(side.transform_id, "tsk-none")
    for unknown in (
        lambda: side.glue.run("tfm-none", task_run_id),
        lambda: side.glue.runs("tfm-none", lately()),
        lambda: side.glue.cancel("tfm-none", task_run_id),
        lambda: side.glue.cancel(side.transform_id, "tsk-none"),
    ):
        with pytest.raises(UnknownToGlue):
            unknown()


def test_a_cancelled_run_stops(side: Side) -> None:
    task_run_id = side.glue.start(side.labeling)
    assert side.glue.cancel(side.transform_id, task_run_id) in (Status.STOPPING, Status.STOPPED)
    assert side.glue.run(side.transform_id, task_run_id).status in (Status.STOPPING, Status.STOPPED)


def test_a_run_that_is_over_stays_as_it_ended_when_it_is_cancelled(side: Side) -> None:
    task_run_id = side.glue.start(side.importing)
    side.finish(task_run_id)
    assert side.glue.cancel(side.transform_id, task_run_id) is Status.SUCCEEDED
    assert side.glue.run(side.transform_id, task_run_id).status is Status.SUCCEEDED


@pytest.mark.parametrize("kind", ["labeling", "importing"])
@pytest.mark.parametrize(
    ("fault", "error", "has_started"),
    [(Fault.LOST_AFTER, AnswerLost, True), (Fault.LOST_BEFORE, AnswerLost, False), (Fault.THROTTLED, NotStarted, False)],
)
def test_a_start_that_went_wrong_is_told_by_what_it_proves(
    side: Side, kind: str, fault: Fault, error: type[LoopError], *, has_started: bool
) -> None:
    run: Run = getattr(side, kind)
    side.meets(fault)
    with pytest.raises(error):
        side.glue.start(run)
    found: list[Any] = [one.path for one in side.glue.runs(side.transform_id, lately())]
    assert found == ([run.path] if has_started else [])


def test_an_export_is_listed_with_the_folder_that_it_was_asked_for(side: Side) -> None:
    task_run_id = side.glue.start(side.importing)
    side.finish(task_run_id)
    assert side.glue.transform(side.transform_id).label_count > 0
    exporting = replace(side.importing, export_to="s3://bucket/backups/0123456789abcdef0123456789abcdef/")
    export_run_id = side.glue.export(exporting)
    listed = side.glue.run(side.transform_id, export_run_id)
    assert (listed.task_type, listed.path) == ("EXPORT_LABELS", exporting.export_to)


def test_a_transform_tells_its_columns_and_how_many_labels_it_has(side: Side) -> None:
    transform = side.glue.transform(side.transform_id)
    assert transform.label_count == 0
    assert "id" in transform.columns
    with pytest.raises(UnknownToGlue):
        side.glue.transform("tfm-none")
