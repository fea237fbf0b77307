"""The life of a task run: what can be seen of it, how it is stopped, what becomes of it when the service dies."""

import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from local.glue.aws import TableRef
from local.glue.database import StateInUse
from local.glue.job import Job
from local.glue.processes import ProcessWorkers
from local.glue.settings import AwsEndpoint, Settings
from local.glue.workers import Limits, OutOfTime, Stopped, WorkerDied
from tests.glue_emulator.lab import TWO_SETS, Bench, Lab, table_input
from tests.glue_emulator.servers import Servers, free_port, is_listening

INTERRUPTED = "The service stopped while this task run was under way; its work was lost. Start it again."


def test_a_run_is_seen_starting_then_running_then_ended(bench: Bench, tmp_path: Path) -> None:
    lab, _ = bench.open(tmp_path, Settings(starting_seconds=0.3, running_seconds=1.1))
    transform = lab.transform()
    run = lab.start_import(transform, TWO_SETS)
    starting = lab.run(transform, run)
    assert starting["Status"] == "STARTING"
    assert "CompletedOn" not in starting
    running = lab.until(transform, run, ["RUNNING"])
    assert running["LastModifiedOn"] > starting["LastModifiedOn"]
    assert running["StartedOn"] == starting["StartedOn"]
    ended = lab.succeeded(transform, run)
    assert ended["ExecutionTime"] == 1
    assert ended["CompletedOn"] > running["LastModifiedOn"]


def test_a_running_run_that_is_cancelled_leaves_nothing_behind(bench: Bench, tmp_path: Path) -> None:
    lab, _ = bench.open(tmp_path, Settings(running_seconds=30, stopping_seconds=0.3))
    transform = lab.transform()
    run = lab.start_import(transform, TWO_SETS)
    lab.until(transform, run, ["RUNNING"])
    assert lab.glue.cancel_ml_task_run(TransformId=transform, TaskRunId=run)["Status"] == "STOPPING"
    assert lab.run(transform, run)["Status"] == "STOPPING"
    assert lab.ended(transform, run, seconds=5)["Status"] == "STOPPED"
    found = lab.glue.get_ml_transform(TransformId=transform)
    assert (found["Status"], found["LabelCount"]) == ("NOT_READY", 0)


def test_a_run_that_takes_longer_than_its_transform_allows_times_out(bench: Bench, tmp_path: Path) -> None:
    lab, _ = bench.open(tmp_path, Settings(running_seconds=30, minute_seconds=0.1))
    transform = lab.transform(Timeout=2)
    run = lab.ended(transform, lab.start_import(transform, TWO_SETS), seconds=5)
    assert run["Status"] == "TIMEOUT"
    assert run["ErrorString"] == "The task run exceeded its timeout of 2 minutes."
    assert lab.glue.get_ml_transform(TransformId=transform)["LabelCount"] == 0


def test_no_more_runs_work_at_once_than_there_are_workers(bench: Bench, tmp_path: Path) -> None:
    lab, _ = bench.open(tmp_path, Settings(running_seconds=0.5, workers=1))
    transform = lab.transform()
    first, second = lab.start_import(transform, TWO_SETS), lab.start_import(transform, TWO_SETS)
    lab.succeeded(transform, first)
    lab.succeeded(transform, second)
    moments = sorted(lab.run(transform, run)["CompletedOn"] for run in (first, second))
    assert (moments[1] - moments[0]).total_seconds() >= 0.5


def test_state_survives_a_restart_and_what_was_under_way_ends_failed(bench: Bench, tmp_path: Path) -> None:
    lab, service = bench.open(tmp_path)
    transform = lab.taught(Tags={"team": "people"})
    before, runs = lab.glue.get_ml_transform(TransformId=transform), lab.glue.get_ml_task_runs(TransformId=transform)
    lab.switch_faults({"holdRuns": True})
    held = lab.start_labeling(transform)
    service.close()

    again, _ = bench.open(tmp_path)
    after = again.glue.get_ml_transform(TransformId=transform)
    for answer in (before, after):
        answer.pop("ResponseMetadata")
    assert after == before
    newest, *others = again.glue.get_ml_task_runs(TransformId=transform)["TaskRuns"]
    assert others == runs["TaskRuns"]
    assert (newest["TaskRunId"], newest["Status"], newest["ErrorString"]) == (held, "FAILED", INTERRUPTED)
    assert newest["CompletedOn"] >= newest["StartedOn"]
    assert again.glue.list_ml_transforms(Tags={"team": "people"})["TransformIds"] == [transform]
    again.succeeded(transform, again.start_labeling(transform, "again/"))


def test_a_killed_server_comes_back_with_its_state(servers: Servers, http_lab: Lab, tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "local.glue", "--port", str(port), "--state", str(tmp_path / "state")]
    command += ["--aws-endpoint-url", servers.aws_url, "--access-key-id", "test", "--secret-access-key", "test"]

    def started(*options: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([*command, *options], stderr=subprocess.DEVNULL)  # noqa: S603 - our own server
        deadline = time.monotonic() + 30
        while not is_listening(port):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        return process

    assert http_lab.new_client_at is not None
    http_lab.glue = http_lab.new_client_at(f"http://127.0.0.1:{port}")
    process = started("--running-seconds", "60")
    transform = http_lab.transform()
    run = http_lab.start_import(transform, TWO_SETS)
    http_lab.until(transform, run, ["RUNNING"])
    os.kill(process.pid, signal.SIGKILL)
    process.wait(timeout=10)

    process = started()
    try:
        ended = http_lab.run(transform, run)
        assert (ended["Status"], ended["ErrorString"]) == ("FAILED", INTERRUPTED)
        http_lab.succeeded(transform, http_lab.start_import(transform, TWO_SETS))
        http_lab.glue = http_lab.new_client_at(servers.glue_url)
    finally:
        process.terminate()
        assert process.wait(timeout=20) == 0


def test_two_services_do_not_share_a_state_folder(bench: Bench, tmp_path: Path) -> None:
    bench.open(tmp_path)
    with pytest.raises(StateInUse):
        bench.open(tmp_path)


def test_deleting_a_transform_ends_its_runs(lab: Lab) -> None:
    transform = lab.transform()
    lab.switch_faults({"holdRuns": True})
    run = lab.start_labeling(transform)
    assert lab.glue.delete_ml_transform(TransformId=transform)["TransformId"] == transform
    with pytest.raises(ClientError, match="Cannot find MLTransform"):
        lab.run(transform, run)
    assert lab.glue.list_ml_transforms()["TransformIds"] == []
    lab.switch_faults({})
    deadline = time.monotonic() + 10
    while any(thread.name == run for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (table_input("gone", "s3://no-such-bucket-anywhere/x/"), "NoSuchBucket"),
        (table_input("empty", "s3://BUCKET/nothing/"), "There is no data at s3://"),
        (table_input("odd", "s3://BUCKET/people/", SerdeInfo={"SerializationLibrary": "a.b.OrcSerde"}), "orcserde"),
        (table_input("twice", "s3://BUCKET/twice/"), "Primary key column id is not unique: 'a' stands in 2 rows."),
        (table_input("no_key", "s3://BUCKET/no_key/"), "Primary key column id has no value in row 2."),
        (table_input("one", "s3://BUCKET/one/"), "The table has 1 rows; matching needs at least 2."),
        (table_input("bytes", "s3://BUCKET/bytes/"), "bytes/x cannot be read as csv: 'utf-8' codec can't decode"),
    ],
    ids=lambda value: value["Name"] if isinstance(value, dict) else "",
)
def test_a_table_that_cannot_be_read_fails_the_run_with_the_reason(lab: Lab, table: dict[str, object], said: str) -> None:
    for key, body in {
        "twice/x": b"h\na,1,2,3\nb,1,2,3\na,4,5,6\n",
        "no_key/x": b"h\na,1,2,3\n,1,2,3\n",
        "one/x": b"h\na,1,2,3\n",
        "bytes/x": b"h\na,M\xfcller,2,3\n",
    }.items():
        lab.put(key, body)
    storage = table["StorageDescriptor"]
    assert isinstance(storage, dict)
    located = {**table, "StorageDescriptor": {**storage, "Location": storage["Location"].replace("BUCKET", lab.bucket)}}
    lab.define(located)
    lab.table = str(table["Name"])
    transform = lab.transform()
    run = lab.ended(transform, lab.start_labeling(transform))
    assert run["Status"] == "FAILED"
    assert said in run["ErrorString"]


def test_an_evaluation_without_enough_labels_says_what_is_missing(lab: Lab) -> None:
    transform = lab.transform()
    lab.succeeded(transform, lab.start_import(transform, TWO_SETS))
    run = lab.ended(transform, lab.glue.start_ml_evaluation_task_run(TransformId=transform)["TaskRunId"])
    assert run["Status"] == "FAILED"
    assert run["ErrorString"]
    assert "EvaluationMetrics" not in lab.glue.get_ml_transform(TransformId=transform)


def test_a_bucket_that_cannot_be_written_fails_the_run(lab: Lab) -> None:
    transform = lab.transform()
    start = lab.glue.start_ml_labeling_set_generation_task_run
    run = lab.ended(transform, start(TransformId=transform, OutputS3Path="s3://no-such-bucket-anywhere/x")["TaskRunId"])
    assert run["Status"] == "FAILED"
    assert "NoSuchBucket" in run["ErrorString"]


@pytest.fixture
def busy_workers() -> Iterator[ProcessWorkers]:
    """Workers whose AWS takes connections and never answers, so that a job goes on until it is stopped."""
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        workers = ProcessWorkers(AwsEndpoint(f"http://127.0.0.1:{silent.getsockname()[1]}", "us-east-1", "a", "b"), 0)
        yield workers
        workers.close()


JOB = Job("EXPORT_LABELS", "tfm-x", "tsk-x", TableRef("db", "table"), "id", 0.0, path="s3://bucket/x")


def test_stopping_kills_the_worker_process(busy_workers: ProcessWorkers) -> None:
    stop = threading.Event()
    threading.Timer(1.0, stop.set).start()
    with pytest.raises(Stopped):
        busy_workers.run(JOB, Limits(stop, time.monotonic() + 60))
    assert not [child for child in multiprocessing.active_children() if child.name == "glue-worker"]


def test_a_deadline_kills_the_worker_process(busy_workers: ProcessWorkers) -> None:
    with pytest.raises(OutOfTime):
        busy_workers.run(JOB, Limits(threading.Event(), time.monotonic() + 1))
    assert not [child for child in multiprocessing.active_children() if child.name == "glue-worker"]


def test_a_worker_that_dies_is_noticed(busy_workers: ProcessWorkers) -> None:
    def kill() -> None:
        for child in multiprocessing.active_children():
            if child.name == "glue-worker":
                child.kill()

    threading.Timer(1.5, kill).start()
    with pytest.raises(WorkerDied):
        busy_workers.run(JOB, Limits(threading.Event(), time.monotonic() + 60))
