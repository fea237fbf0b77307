"""The states of a task run, cancellation and timeouts, and recovery after the service dies."""

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
from tests.glue_emulator.emulator import Emulator, EmulatorFactory
from tests.glue_emulator.people import TWO_SETS, table_input
from tests.glue_emulator.servers import Servers, free_port, is_listening

INTERRUPTED = "The service stopped while this task run was under way; its work was lost. Start it again."


def test_a_run_shows_starting_then_running_then_succeeded(emulators: EmulatorFactory, tmp_path: Path) -> None:
    emulator, _ = emulators.start(tmp_path, Settings(starting_seconds=0.3, running_seconds=1.1))
    transform = emulator.create_transform()
    run = emulator.start_import(transform, TWO_SETS)
    starting = emulator.get_run(transform, run)
    assert starting["Status"] == "STARTING"
    assert "CompletedOn" not in starting
    running = emulator.wait_for_status(transform, run, ["RUNNING"])
    assert running["LastModifiedOn"] > starting["LastModifiedOn"]
    assert running["StartedOn"] == starting["StartedOn"]
    ended = emulator.wait_for_success(transform, run)
    assert ended["ExecutionTime"] == 1
    assert ended["CompletedOn"] > running["LastModifiedOn"]


def test_a_cancelled_import_adds_no_labels(emulators: EmulatorFactory, tmp_path: Path) -> None:
    emulator, _ = emulators.start(tmp_path, Settings(running_seconds=30, stopping_seconds=0.3))
    transform = emulator.create_transform()
    run = emulator.start_import(transform, TWO_SETS)
    emulator.wait_for_status(transform, run, ["RUNNING"])
    assert emulator.glue.cancel_ml_task_run(TransformId=transform, TaskRunId=run)["Status"] == "STOPPING"
    assert emulator.get_run(transform, run)["Status"] == "STOPPING"
    assert emulator.wait_until_ended(transform, run, seconds=5)["Status"] == "STOPPED"
    description = emulator.glue.get_ml_transform(TransformId=transform)
    assert (description["Status"], description["LabelCount"]) == ("NOT_READY", 0)


def test_a_run_longer_than_the_transforms_timeout_ends_timeout(emulators: EmulatorFactory, tmp_path: Path) -> None:
    emulator, _ = emulators.start(tmp_path, Settings(running_seconds=30, minute_seconds=0.1))
    transform = emulator.create_transform(Timeout=2)
    run = emulator.wait_until_ended(transform, emulator.start_import(transform, TWO_SETS), seconds=5)
    assert run["Status"] == "TIMEOUT"
    assert run["ErrorString"] == "The task run exceeded its timeout of 2 minutes."
    assert emulator.glue.get_ml_transform(TransformId=transform)["LabelCount"] == 0


def test_with_one_worker_runs_execute_one_after_another(emulators: EmulatorFactory, tmp_path: Path) -> None:
    emulator, _ = emulators.start(tmp_path, Settings(running_seconds=0.5, workers=1))
    transform = emulator.create_transform()
    first, second = emulator.start_import(transform, TWO_SETS), emulator.start_import(transform, TWO_SETS)
    emulator.wait_for_success(transform, first)
    emulator.wait_for_success(transform, second)
    end_times = sorted(emulator.get_run(transform, run)["CompletedOn"] for run in (first, second))
    assert (end_times[1] - end_times[0]).total_seconds() >= 0.5


def test_after_a_restart_state_is_kept_and_active_runs_are_failed(emulators: EmulatorFactory, tmp_path: Path) -> None:
    emulator, service = emulators.start(tmp_path)
    transform = emulator.create_trained_transform(Tags={"team": "people"})
    before, runs = emulator.glue.get_ml_transform(TransformId=transform), emulator.glue.get_ml_task_runs(TransformId=transform)
    emulator.set_faults({"holdRuns": True})
    held = emulator.start_labeling(transform)
    service.close()

    again, _ = emulators.start(tmp_path)
    after = again.glue.get_ml_transform(TransformId=transform)
    for response in (before, after):
        response.pop("ResponseMetadata")
    assert after == before
    newest, *older = again.glue.get_ml_task_runs(TransformId=transform)["TaskRuns"]
    assert older == runs["TaskRuns"]
    assert (newest["TaskRunId"], newest["Status"], newest["ErrorString"]) == (held, "FAILED", INTERRUPTED)
    assert newest["CompletedOn"] >= newest["StartedOn"]
    assert again.glue.list_ml_transforms(Tags={"team": "people"})["TransformIds"] == [transform]
    again.wait_for_success(transform, again.start_labeling(transform, "again/"))


def test_a_killed_server_restarts_with_its_state(servers: Servers, http_emulator: Emulator, tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "local.glue", "--port", str(port), "--state", str(tmp_path / "state")]
    command += ["--aws-endpoint-url", servers.aws_url, "--access-key-id", "test", "--secret-access-key", "test"]

    def start_server(*options: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([*command, *options], stderr=subprocess.DEVNULL)  # noqa: S603 - our own server
        deadline = time.monotonic() + 30
        while not is_listening(port):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        return process

    assert http_emulator.new_client_at is not None
    http_emulator.glue = http_emulator.new_client_at(f"http://127.0.0.1:{port}")
    process = start_server("--running-seconds", "60")
    transform = http_emulator.create_transform()
    run = http_emulator.start_import(transform, TWO_SETS)
    http_emulator.wait_for_status(transform, run, ["RUNNING"])
    os.kill(process.pid, signal.SIGKILL)
    process.wait(timeout=10)

    process = start_server()
    try:
        ended = http_emulator.get_run(transform, run)
        assert (ended["Status"], ended["ErrorString"]) == ("FAILED", INTERRUPTED)
        http_emulator.wait_for_success(transform, http_emulator.start_import(transform, TWO_SETS))
        http_emulator.glue = http_emulator.new_client_at(servers.glue_url)
    finally:
        process.terminate()
        assert process.wait(timeout=20) == 0


def test_a_second_service_on_the_same_state_folder_is_refused(emulators: EmulatorFactory, tmp_path: Path) -> None:
    emulators.start(tmp_path)
    with pytest.raises(StateInUse):
        emulators.start(tmp_path)


def test_deleting_a_transform_ends_its_runs(emulator: Emulator) -> None:
    transform = emulator.create_transform()
    emulator.set_faults({"holdRuns": True})
    run = emulator.start_labeling(transform)
    assert emulator.glue.delete_ml_transform(TransformId=transform)["TransformId"] == transform
    with pytest.raises(ClientError, match="Cannot find MLTransform"):
        emulator.get_run(transform, run)
    assert emulator.glue.list_ml_transforms()["TransformIds"] == []
    emulator.set_faults({})
    deadline = time.monotonic() + 10
    while any(thread.name == run for thread in threading.enumerate()):
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (table_input("gone", "s3://no-such-bucket-anywhere/x/"), "NoSuchBucket"),
        (table_input("empty", "s3://BUCKET/nothing/"), "There is no data at s3://"),
        (table_input("odd", "s3://BUCKET/people/", SerdeInfo={"SerializationLibrary": "a.b.OrcSerde"}), "a.b.OrcSerde"),
        (table_input("twice", "s3://BUCKET/twice/"), "Primary key column id is not unique: 'a' stands in 2 rows."),
        (table_input("no_key", "s3://BUCKET/no_key/"), "Primary key column id has no value in row 2."),
        (table_input("one", "s3://BUCKET/one/"), "The table has 1 rows; matching needs at least 2."),
        (
            table_input("bytes", "s3://BUCKET/bytes/"),
            "bytes/x cannot be read as csv: row 1, column name: byte 0xfc is not UTF-8",
        ),
    ],
    ids=lambda value: value["Name"] if isinstance(value, dict) else "",
)
def test_an_unreadable_table_fails_the_run_with_the_reason(emulator: Emulator, table: dict[str, object], message: str) -> None:
    for key, body in {
        "twice/x": b"h\na,1,2,3\nb,1,2,3\na,4,5,6\n",
        "no_key/x": b"h\na,1,2,3\n,1,2,3\n",
        "one/x": b"h\na,1,2,3\n",
        "bytes/x": b"h\na,M\xfcller,2,3\n",
    }.items():
        emulator.put_object(key, body)
    storage = table["StorageDescriptor"]
    assert isinstance(storage, dict)
    located = {**table, "StorageDescriptor": {**storage, "Location": storage["Location"].replace("BUCKET", emulator.bucket)}}
    emulator.create_table(located)
    emulator.table = str(table["Name"])
    transform = emulator.create_transform()
    run = emulator.wait_until_ended(transform, emulator.start_labeling(transform))
    assert run["Status"] == "FAILED"
    assert message in run["ErrorString"]


def test_an_evaluation_with_too_few_labels_fails_with_a_reason(emulator: Emulator) -> None:
    transform = emulator.create_transform()
    emulator.wait_for_success(transform, emulator.start_import(transform, TWO_SETS))
    run = emulator.wait_until_ended(transform, emulator.glue.start_ml_evaluation_task_run(TransformId=transform)["TaskRunId"])
    assert run["Status"] == "FAILED"
    assert run["ErrorString"]
    assert "EvaluationMetrics" not in emulator.glue.get_ml_transform(TransformId=transform)


def test_an_output_bucket_that_cannot_be_written_fails_the_run(emulator: Emulator) -> None:
    transform = emulator.create_transform()
    start = emulator.glue.start_ml_labeling_set_generation_task_run
    run = emulator.wait_until_ended(
        transform, start(TransformId=transform, OutputS3Path="s3://no-such-bucket-anywhere/x")["TaskRunId"]
    )
    assert run["Status"] == "FAILED"
    assert "NoSuchBucket" in run["ErrorString"]


@pytest.fixture
def busy_workers() -> Iterator[ProcessWorkers]:
    """Workers whose AWS endpoint accepts connections and never answers, so a job runs until it is stopped."""
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


def test_a_dead_worker_raises_worker_died(busy_workers: ProcessWorkers) -> None:
    def kill() -> None:
        for child in multiprocessing.active_children():
            if child.name == "glue-worker":
                child.kill()

    threading.Timer(1.5, kill).start()
    with pytest.raises(WorkerDied):
        busy_workers.run(JOB, Limits(threading.Event(), time.monotonic() + 60))
