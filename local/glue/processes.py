"""The workers that are processes: nothing they do keeps the service from answering, and they can be killed."""

import contextlib
import multiprocessing
import os
import threading
from multiprocessing.connection import Connection, wait

from local.glue.aws import connect
from local.glue.job import Job, JobFailed, Outcome
from local.glue.settings import AwsEndpoint
from local.glue.workers import POLL_SECONDS, Limits, Stopped, WorkerDied, attempt, opened

_SPAWN = multiprocessing.get_context("spawn")


class ProcessWorkers:
    """Up to any number of spawned processes; idle ones are kept warm for the next run."""

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
            box = worker.do(job, limits)
        except BaseException:
            self._drop(worker)
            raise
        self._put_back(worker)
        return opened(box)

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
        self._pipe, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_serve, args=(theirs, endpoint), daemon=True, name="glue-worker")
        self._process.start()
        theirs.close()

    def is_alive(self) -> bool:
        return self._process.is_alive()

    def do(self, job: Job, limits: Limits) -> Outcome | JobFailed:
        try:
            self._pipe.send(job)
            while not self._pipe.poll(POLL_SECONDS):
                limits.check()
            box: Outcome | JobFailed = self._pipe.recv()
        except (EOFError, OSError) as error:
            raise WorkerDied from error
        return box

    def kill(self) -> None:
        self._process.kill()
        self._process.join()
        self._process.close()
        self._pipe.close()


def _serve(pipe: Connection, endpoint: AwsEndpoint) -> None:
    """A worker process's life: one job after another, until its parent is gone."""
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    with contextlib.suppress(OSError):
        os.nice(5)  # the process that answers clients comes first
    if not pipe.poll():
        import findmatches  # noqa: F401, PLC0415 - loaded while idle, so that no job waits for it

    with contextlib.suppress(EOFError, OSError):
        while True:
            job = pipe.recv()
            aws = connect(endpoint)
            try:
                pipe.send(attempt(job, aws))
            finally:
                aws.close()


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
