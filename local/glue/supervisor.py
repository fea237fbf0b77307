"""Takes each task run from STARTING to its end, in a thread of its own that mostly waits."""

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
class Assignment:
    """`prepare` makes the job when its turn comes; `keep` stores what it left behind, in the transaction that ends it."""

    run: TaskRun
    prepare: Callable[[], Job]
    keep: Callable[[Outcome], None]
    timeout_minutes: int
    attempts: int


class Supervisor:
    def __init__(
        self,
        store: Store,
        workers: Workers,
        settings: Settings,
        clock: Callable[[], float],
        held: Callable[[], bool],
    ) -> None:
        """`held`: whether runs are to stay in STARTING for now."""
        self._held = held
        self._store = store
        self._workers = workers
        self._settings = settings
        self._clock = clock
        self._turns = threading.Semaphore(settings.workers)
        self._lock = threading.Lock()
        self._stops: dict[str, threading.Event] = {}
        self._threads: set[threading.Thread] = set()
        self._closing = threading.Event()

    def begin(self, assignment: Assignment) -> None:
        run_id = assignment.run.run_id
        thread = threading.Thread(target=self._supervise, args=(assignment,), name=run_id, daemon=True)
        stop = threading.Event()
        with self._lock:
            self._stops[run_id] = stop
            self._threads.add(thread)
        if not self._is_starting(assignment.run):
            stop.set()  # cancelled between its record and now
        thread.start()

    def _is_starting(self, run: TaskRun) -> bool:
        found = self._store.runs.find(run.transform_id, run.run_id)
        return found is not None and found.status == STARTING

    def stop(self, run_id: str) -> None:
        """Ends the run's work soon; the run's record says so once it has ended."""
        with self._lock:
            event = self._stops.get(run_id)
        if event is not None:
            event.set()

    def close(self) -> None:
        """Ends all work at once. Runs under way keep their state on disk; the next start ends them FAILED."""
        self._closing.set()
        with self._lock:
            threads = list(self._threads)
            for event in self._stops.values():
                event.set()
        self._workers.close()
        for thread in threads:
            thread.join(timeout=10)

    def _supervise(self, assignment: Assignment) -> None:
        run_id = assignment.run.run_id
        stop = self._stops[run_id]
        try:
            status, error = self._carry_out(assignment, stop)
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

    def _carry_out(self, assignment: Assignment, stop: threading.Event) -> tuple[str, str | None]:
        """The state to end in, and why. A run that succeeds has been ended already, together with what it keeps."""
        if not self._await_turn(stop):
            return STOPPED, None
        try:
            if not self._store.runs.move(assignment.run.run_id, RUNNING, self._clock()):
                return STOPPED, None
            seconds = assignment.timeout_minutes * self._settings.minute_seconds
            limits = Limits(stop, time.monotonic() + seconds)
            return self._work(assignment, limits)
        finally:
            self._turns.release()

    def _await_turn(self, stop: threading.Event) -> bool:
        """Whether the run may begin to work; False once it is stopped."""
        stop.wait(self._settings.starting_seconds)
        while self._held() and not stop.is_set():
            stop.wait(POLL_SECONDS)
        while not self._turns.acquire(timeout=POLL_SECONDS):
            if stop.is_set():
                return False
        if stop.is_set():
            self._turns.release()
            return False
        return True

    def _work(self, assignment: Assignment, limits: Limits) -> tuple[str, str | None]:
        visible_until = time.monotonic() + self._settings.running_seconds
        try:
            outcome = self._attempts(assignment, limits)
            _linger(visible_until, limits)
        except Stopped:
            return STOPPED, None
        except OutOfTime:
            return TIMEOUT, f"The task run exceeded its timeout of {assignment.timeout_minutes} minutes."
        except WorkerDied:
            return FAILED, "The worker process died, perhaps for lack of memory."
        except JobFailed as error:
            return FAILED, str(error)
        with self._store.transaction():
            if self._store.runs.move(assignment.run.run_id, SUCCEEDED, self._clock()):
                assignment.keep(outcome)
        return SUCCEEDED, None

    def _attempts(self, assignment: Assignment, limits: Limits) -> Outcome:
        """MaxRetries covers workers that die; a run whose input is at fault would only fail again."""
        for _ in range(assignment.attempts - 1):
            try:
                return self._workers.run(assignment.prepare(), limits)
            except WorkerDied:
                logger.warning("GLUE_WORKER_DIED run=%s", assignment.run.run_id)
        return self._workers.run(assignment.prepare(), limits)

    def _end(self, run_id: str, status: str, error: str | None) -> None:
        """A run that someone cancelled meanwhile ends STOPPED, whatever else happened to it."""
        if status != STOPPED and self._store.runs.move(run_id, status, self._clock(), error):
            return
        self._closing.wait(self._settings.stopping_seconds)
        self._store.runs.move(run_id, STOPPED, self._clock())


def _linger(until: float, limits: Limits) -> None:
    while time.monotonic() < until:
        limits.check()
        limits.stop.wait(min(POLL_SECONDS, max(0.0, until - time.monotonic())))
