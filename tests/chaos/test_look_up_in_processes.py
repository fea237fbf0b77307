"""A lost start is found among whatever else Glue runs for the transform, and no other run is taken for it."""

import sqlite3
import time
from pathlib import Path
from uuid import uuid4

import pytest

from tests.chaos.cloud import Ground
from tests.chaos.crowd import Crowd, paths
from tests.chaos.faults import Fault, Kind
from tests.chaos.handler_runs import HandlerRun, run_at_once

HISTORY = 2500
LOST = Fault(0, "glue.StartMLLabelingSetGenerationTaskRun", Kind.ANSWER_LOST, lasting=True)
LOST_IMPORT = Fault(0, "glue.StartImportLabelsTaskRun", Kind.ANSWER_LOST, lasting=True)


@pytest.fixture
def crowd(ground: Ground, processes: None, request: pytest.FixtureRequest) -> Crowd:
    del processes
    return Crowd(ground, ground.transform(request.node.name[:200]))


def lost(run: HandlerRun, fault: Fault) -> HandlerRun:
    return HandlerRun(run.door, run.event, run.at, fault)


def test_among_2500_runs_of_the_last_minute(crowd: Crowd, ground: Ground) -> None:
    run_at_once([lost(crowd.labeling_set(), LOST)])
    (item,) = crowd.items()
    assert item["status"] == "UNCONFIRMED"
    ours = crowd.glue_runs()[0]["TaskRunId"]
    multiply(ground.log.parent / "glue", crowd.transform)
    assert len(crowd.glue_runs()) == HISTORY + 1
    (outcome,) = crowd.reconcile(at=5, times=1)
    assert outcome.calls.count("glue.GetMLTaskRuns") == 3, "pages of 1,000"
    assert crowd.items()[0]["taskRunId"] == ours


def test_two_lost_starts_at_once_each_find_their_own(crowd: Crowd) -> None:
    run_at_once([lost(crowd.labeling_set(), LOST), lost(crowd.labeling_set(), LOST)])
    assert {item["status"] for item in crowd.items()} == {"UNCONFIRMED"}
    crowd.reconcile(at=5)
    of_glue = {run["TaskRunId"]: path for run, path in zip(crowd.glue_runs(), paths(crowd.glue_runs()), strict=True)}
    assert len(of_glue) == 2
    assert {item["taskRunId"]: item["path"] for item in crowd.items()} == of_glue


def test_a_run_that_someone_started_by_hand_is_not_taken_for_ours(crowd: Crowd, ground: Ground) -> None:
    label_file, etag = crowd.label_file()
    by_hand = ground.client("glue").start_import_labels_task_run(TransformId=crowd.transform, InputS3Path=label_file)
    time.sleep(4)  # the nearest in time is taken: on a busy machine ours may start a second after it was asked for
    ours = lost(crowd.imported_from((label_file, etag)), LOST_IMPORT)
    run_at_once([ours])
    ground.client("glue").start_ml_labeling_set_generation_task_run(
        TransformId=crowd.transform, OutputS3Path=ground.s3_path("by-hand/")
    )
    crowd.reconcile(at=5)
    (item,) = crowd.items()
    started = [
        run["TaskRunId"] for run, path in zip(crowd.glue_runs(), paths(crowd.glue_runs()), strict=True) if path == label_file
    ]
    assert len(started) == 2, "one by hand, one by us"
    assert item["taskRunId"] == next(one for one in started if one != by_hand["TaskRunId"])


def test_a_run_that_is_listed_late_is_waited_for(crowd: Crowd, ground: Ground) -> None:
    put = ground.client("s3").meta.endpoint_url
    switch_faults(put, '{"listingDelaySeconds": 8}')
    try:
        run_at_once([lost(crowd.labeling_set(), LOST)])
        crowd.reconcile(at=0)
        assert crowd.items()[0]["status"] == "UNCONFIRMED"
        time.sleep(8.2)
        crowd.reconcile(at=0)
    finally:
        switch_faults(put, "{}")
    crowd.reconcile(at=90)
    assert crowd.items()[0]["status"] == "SUCCEEDED"
    assert len(crowd.glue_runs()) == 1


def switch_faults(endpoint: str, plan: str) -> None:
    import urllib.request  # noqa: PLC0415  only here

    request = urllib.request.Request(f"{endpoint}/_glue/faults", plan.encode(), method="PUT")  # noqa: S310  our own process
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  our own process
        assert answer.status == 200


def multiply(state: Path, transform: str) -> None:
    """Put runs into the engine's store as if they had been started by hand within the last minute."""
    now = time.time()
    properties = (
        '{"TaskType": "LABELING_SET_GENERATION", "LabelingSetGenerationTaskRunProperties": {"OutputS3Path": "s3://b/by-hand/"}}'
    )
    rows = [
        (f"tsk-{uuid4().hex}", transform, "LABELING_SET_GENERATION", "SUCCEEDED", properties, now - number / 50, now, now)
        for number in range(HISTORY)
    ]
    with sqlite3.connect(state / "glue.sqlite3", timeout=30) as database:
        database.executemany(
            "INSERT INTO task_runs (id, transform_id, kind, status, properties, started_on, last_modified_on, completed_on)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
    database.close()
