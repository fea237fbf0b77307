"""A start with a lost response is found among the transform's other task runs, and not confused with them."""

import sqlite3
import time
from pathlib import Path
from uuid import uuid4

import pytest

from tests.chaos.cloud import ChaosCloud
from tests.chaos.faults import Fault, Kind
from tests.chaos.handler_runs import HandlerRun, run_at_once
from tests.chaos.transform_driver import TransformDriver, paths

OTHER_RUNS = 2500
LOST_START = Fault(0, "glue.StartMLLabelingSetGenerationTaskRun", Kind.RESPONSE_LOST, lasting=True)
LOST_IMPORT = Fault(0, "glue.StartImportLabelsTaskRun", Kind.RESPONSE_LOST, lasting=True)


@pytest.fixture
def driver(cloud: ChaosCloud, processes: None, request: pytest.FixtureRequest) -> TransformDriver:
    del processes
    return TransformDriver(cloud, cloud.transform(request.node.name[:200]))


def with_fault(run: HandlerRun, fault: Fault) -> HandlerRun:
    return HandlerRun(run.handler, run.event, run.at, fault)


def test_lost_start_is_found_among_2500_recent_task_runs(driver: TransformDriver, cloud: ChaosCloud) -> None:
    run_at_once([with_fault(driver.labeling_set_request(), LOST_START)])
    (item,) = driver.items()
    assert item["status"] == "UNCONFIRMED"
    ours = driver.glue_runs()[0]["TaskRunId"]
    add_task_runs(cloud.log.parent / "glue", driver.transform)
    assert len(driver.glue_runs()) == OTHER_RUNS + 1
    (outcome,) = driver.reconcile(at=5, times=1)
    assert outcome.calls.count("glue.GetMLTaskRuns") == 3, "pages of 1,000"
    assert driver.items()[0]["taskRunId"] == ours


def test_two_lost_starts_each_find_their_own_task_run(driver: TransformDriver) -> None:
    run_at_once([with_fault(driver.labeling_set_request(), LOST_START), with_fault(driver.labeling_set_request(), LOST_START)])
    assert {item["status"] for item in driver.items()} == {"UNCONFIRMED"}
    driver.reconcile(at=5)
    path_by_id = {run["TaskRunId"]: path for run, path in zip(driver.glue_runs(), paths(driver.glue_runs()), strict=True)}
    assert len(path_by_id) == 2
    assert {item["taskRunId"]: item["path"] for item in driver.items()} == path_by_id


def test_task_run_started_by_hand_is_not_taken_for_ours(driver: TransformDriver, cloud: ChaosCloud) -> None:
    label_file, etag = driver.upload_label_file()
    by_hand = cloud.client("glue").start_import_labels_task_run(TransformId=driver.transform, InputS3Path=label_file)
    time.sleep(4)  # the look-up takes the nearest in time, and on a busy machine ours may start a second late
    ours = with_fault(driver.import_request((label_file, etag)), LOST_IMPORT)
    run_at_once([ours])
    cloud.client("glue").start_ml_labeling_set_generation_task_run(
        TransformId=driver.transform, OutputS3Path=cloud.s3_path("by-hand/")
    )
    driver.reconcile(at=5)
    (item,) = driver.items()
    started = [
        run["TaskRunId"] for run, path in zip(driver.glue_runs(), paths(driver.glue_runs()), strict=True) if path == label_file
    ]
    assert len(started) == 2, "one started by hand, one by us"
    assert item["taskRunId"] == next(run_id for run_id in started if run_id != by_hand["TaskRunId"])


def test_task_run_that_is_listed_late_is_still_found(driver: TransformDriver, cloud: ChaosCloud) -> None:
    endpoint = cloud.client("s3").meta.endpoint_url
    switch_faults(endpoint, '{"listingDelaySeconds": 8}')
    try:
        run_at_once([with_fault(driver.labeling_set_request(), LOST_START)])
        driver.reconcile(at=0)
        assert driver.items()[0]["status"] == "UNCONFIRMED"
        time.sleep(8.2)
        driver.reconcile(at=0)
    finally:
        switch_faults(endpoint, "{}")
    driver.reconcile(at=90)
    assert driver.items()[0]["status"] == "SUCCEEDED"
    assert len(driver.glue_runs()) == 1


def switch_faults(endpoint: str, plan: str) -> None:
    import urllib.request  # noqa: PLC0415  only here

    request = urllib.request.Request(f"{endpoint}/_glue/faults", plan.encode(), method="PUT")  # noqa: S310  our own process
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310  our own process
        assert response.status == 200


def add_task_runs(state: Path, transform: str) -> None:
    """Add task runs to the Glue emulator's store, as if started by hand within the last minute."""
    now = time.time()
    properties = (
        '{"TaskType": "LABELING_SET_GENERATION", "LabelingSetGenerationTaskRunProperties": {"OutputS3Path": "s3://b/by-hand/"}}'
    )
    rows = [
        (f"tsk-{uuid4().hex}", transform, "LABELING_SET_GENERATION", "SUCCEEDED", properties, now - number / 50, now, now)
        for number in range(OTHER_RUNS)
    ]
    with sqlite3.connect(state / "glue.sqlite3", timeout=30) as database:
        database.executemany(
            "INSERT INTO task_runs (id, transform_id, kind, status, properties, started_on, last_modified_on, completed_on)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            rows,
        )
    database.close()
