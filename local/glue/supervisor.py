"""Takes each task run from STARTING to its final status, in a thread per run that mostly waits."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from local.glue.job import Job, JobFailed, Outcome
from local.glue.settings import Settings
from local.glue.store import Store
from local.glue.task_runs import FAILED, RUNNING, STARTING, STOPPED, SUCCEEDED, TIMEOUT, TaskRun
from local.glue.workers import POLL_SECONDS, Limits, OutOfTime, Stopped, WorkerDied, Workers

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SupervisedRun:
    """`build_job` is called when a worker is free; `save_outcome` runs in the transaction that ends the run SUCCEEDED."""

    run: TaskRun
    build_job: Callable[[], Job]
    save_outcome: Callable[[Outcome], None]
    timeout_minutes: int
    attempts: int


class Supervisor:
    def __init__(
        self,
        store: Store,
        workers: Workers,
        settings: Settings,
        clock: Callable[[], float],
        is_held: Callable[[], bool],
    ) -> None:
        """`is_held`: whether runs stay in STARTING for now."""
        self._is_held = is_held
        self._store = store
        self._workers = workers
        self._settings = settings
        self._clock = clock
        self._worker_slots = threading.Semaphore(settings.workers)
        self._lock = threading.Lock()
        self._stops: dict[str, threading.Event] = {}
        self._threads: set[threading.Thread] = set()
        self._closing = threading.Event()

    def start(self, supervised: SupervisedRun) -> None:
        run_id = supervised.run.run_id
        thread = threading.Thread(target=self._supervise, args=(supervised,), name=run_id, daemon=True)
        stop = threading.Event()
        with self._lock:
            self._stops[run_id] = stop
            self._threads.add(thread)
        if not self._is_starting(supervised.run):
            stop.set()  # cancelled since it was stored
        thread.start()

    def _is_starting(self, run: TaskRun) -> bool:
        stored = self._store.runs.find(run.transform_id, run.run_id)
        return stored is not None and stored.status == STARTING

    def stop(self, run_id: str) -> None:
        """Stop the run's work. Its status changes once the work has stopped."""
        with self._lock:
            event = self._stops.get(run_id)
        if event is not None:
            event.set()

    def close(self) -> None:
        """Stop all work. Active runs keep their status in the store; the next service fails them."""
        self._closing.set()
        with self._lock:
            threads = list(self._threads)
            for event in self._stops.values():
                event.set()
        self._workers.close()
        for thread in threads:
            thread.join(timeout=10)

    def _supervise(self, supervised: SupervisedRun) -> None:
        run_id = supervised.run.run_id
        stop = self._stops[run_id]
        try:
            status, error = self._execute(supervised, stop)
            if not self._closing.is_set():
                self._end(run_id, status, error)
        except Exception:
            logger.exception("GLUE_RUN_FAULT run=%s", run_id)
            if not self._closing.is_set():
                self._end(run_id, FAILED, "Internal service failure.")
        finally:
            with self._lock:
                self._stops.pop(run_id, None)
                self._threads.discard(threading.current_thread())

    def _execute(self, supervised: SupervisedRun, stop: threading.Event) -> tuple[str, str | None]:
        """The final status and the error. A run that succeeds has been stored already, together with its outcome."""
        if not self._await_worker_slot(stop):
            return STOPPED, None
        try:
            if not self._store.runs.transition(supervised.run.run_id, RUNNING, self._clock()):
                return STOPPED, None
            seconds = supervised.timeout_minutes * self._settings.minute_seconds
            limits = Limits(stop, time.monotonic() + seconds)
            return self._run_job(supervised, limits)
        finally:
            self._worker_slots.release()

    def _await_worker_slot(self, stop: threading.Event) -> bool:
        """Wait for a free worker slot; False if the run was stopped first."""
        stop.wait(self._settings.starting_seconds)
        while self._is_held() and not stop.is_set():
            stop.wait(POLL_SECONDS)
        while not self._worker_slots.acquire(timeout=POLL_SECONDS):
            if stop.is_set():
                return False
        if stop.is_set():
            self._worker_slots.release()
            return False
        return True

    def _run_job(self, supervised: SupervisedRun, limits: Limits) -> tuple[str, str | None]:
        visible_until = time.monotonic() + self._settings.running_seconds
        try:
            outcome = self._run_with_retries(supervised, limits)
            _stay_visible(visible_until, limits)
        except Stopped:
            return STOPPED, None
        except OutOfTime:
            return TIMEOUT, f"The task run exceeded its timeout of {supervised.timeout_minutes} minutes."
        except WorkerDied:
            return FAILED, "The worker process died, perhaps because it ran out of memory."
        except JobFailed as error:
            return FAILED, str(error)
        with self._store.transaction():
            if self._store.runs.transition(supervised.run.run_id, SUCCEEDED, self._clock()):
                supervised.save_outcome(outcome)
        return SUCCEEDED, None

    def _run_with_retries(self, supervised: SupervisedRun, limits: Limits) -> Outcome:
        """Retry after a worker has died, up to MaxRetries. Bad input is not retried: it would only fail again."""
        for _ in range(supervised.attempts - 1):
            try:
                return self._workers.run(supervised.build_job(), limits)
            except WorkerDied:
                logger.warning("GLUE_WORKER_DIED run=%s", supervised.run.run_id)
        return self._workers.run(supervised.build_job(), limits)

    def _end(self, run_id: str, status: str, error: str | None) -> None:
        """End the run; a run that was cancelled in the meantime ends STOPPED whatever its own result."""
        if status != STOPPED and self._store.runs.transition(run_id, status, self._clock(), error):
            return
        self._closing.wait(self._settings.stopping_seconds)
        self._store.runs.transition(run_id, STOPPED, self._clock())


def _stay_visible(until: float, limits: Limits) -> None:
    while time.monotonic() < until:
        limits.check()
        limits.stop.wait(min(POLL_SECONDS, max(0.0, until - time.monotonic())))
