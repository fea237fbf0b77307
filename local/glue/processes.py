"""Worker processes: they never block the service, and they can be killed."""

import contextlib
import multiprocessing
import os
import threading
from multiprocessing.connection import Connection, wait

from local.glue.aws import connect
from local.glue.job import Job, JobFailed, Outcome
from local.glue.settings import AwsEndpoint
from local.glue.workers import POLL_SECONDS, Limits, Stopped, WorkerDied, raise_if_failed, try_job

_SPAWN = multiprocessing.get_context("spawn")


class ProcessWorkers:
    """Spawned processes without an upper limit; up to `warm` idle ones are kept for the next run."""

    def __init__(self, endpoint: AwsEndpoint, warm: int) -> None:
        self._endpoint = endpoint
        self._warm = warm
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []
        self._all: set[_Worker] = set()
        self._closed = False
        for _ in range(warm):
            self._put_back(self._spawn())

    def run(self, job: Job, limits: Limits) -> Outcome:
        worker = self._take()
        try:
            result = worker.do(job, limits)
        except BaseException:
            self._drop(worker)
            raise
        self._put_back(worker)
        return raise_if_failed(result)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            workers, self._all, self._idle = self._all, set(), []
        for worker in workers:
            worker.kill()

    def _take(self) -> "_Worker":
        with self._lock:
            while self._idle:
                worker = self._idle.pop()
                if worker.is_alive():
                    return worker
                self._all.discard(worker)
                worker.kill()
        return self._spawn()

    def _spawn(self) -> "_Worker":
        worker = _Worker(self._endpoint)
        with self._lock:
            if not self._closed:
                self._all.add(worker)
                return worker
        worker.kill()
        raise Stopped

    def _put_back(self, worker: "_Worker") -> None:
        with self._lock:
            if not self._closed and len(self._idle) < max(1, self._warm):
                self._idle.append(worker)
                return
        self._drop(worker)

    def _drop(self, worker: "_Worker") -> None:
        with self._lock:
            self._all.discard(worker)
        worker.kill()


class _Worker:
    def __init__(self, endpoint: AwsEndpoint) -> None:
        self._pipe, worker_end = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_serve, args=(worker_end, endpoint), daemon=True, name="glue-worker")
        self._process.start()
        worker_end.close()

    def is_alive(self) -> bool:
        return self._process.is_alive()

    def do(self, job: Job, limits: Limits) -> Outcome | JobFailed:
        try:
            self._pipe.send(job)
            while not self._pipe.poll(POLL_SECONDS):
                limits.check()
            result: Outcome | JobFailed = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise WorkerDied from error
        return result

    def kill(self) -> None:
        self._process.kill()
        self._process.join()
        self._process.close()
        self._pipe.close()


def _serve(pipe: Connection, endpoint: AwsEndpoint) -> None:
    """The worker process's main loop: one job after another until its parent exits."""
    threading.Thread(target=_exit_with_parent, daemon=True).start()
    with contextlib.suppress(OSError):
        os.nice(5)  # the process that serves clients has priority
    if not pipe.poll():
        import findmatches  # noqa: F401, PLC0415 - load it while idle, so that no job waits for it

    with contextlib.suppress(EOFError, OSError):
        while True:
            job = pipe.recv()
            aws = connect(endpoint)
            try:
                pipe.send(try_job(job, aws))
            finally:
                aws.close()


def _exit_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
