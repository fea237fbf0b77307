"""core.ports.Glue in memory, with the faults that Glue and the network have; tests/contract holds it to the engine."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from itertools import count

from core.errors import ConcurrencyLimitReached, GlueUnavailable, NotFoundInGlue, NotStarted, Refused, ResponseLost
from core.evaluation_metrics import ColumnImportance, ConfusionMatrix, EvaluationMetrics
from core.ports import GlueRun, Transform
from core.refusals import UNKNOWN_TRANSFORM_CODE
from core.runs import IN_GLUE, Run, Status, TaskType


class Fault(StrEnum):
    """How one start fails."""

    LOST_AFTER = "started, and the response lost"
    LOST_BEFORE = "not started, and no response"
    THROTTLED = "throttled"
    REFUSED = "refused for good"


def metrics_of(task_run_id: str) -> EvaluationMetrics:
    """The metrics of one evaluation, which those of another differ from."""
    number = int(sha256(task_run_id.encode()).hexdigest()[:4], 16)
    f1 = number / 0x10000
    return EvaluationMetrics(0.9, 0.8, 0.7, f1, ConfusionMatrix(number, 2, 3, 4), (ColumnImportance("name", f1),))


@dataclass
class FakeGlue:
    """`listing_delay` is how long a new task run is not listed.

    Each start uses up one of `faults`. `calls` has the names of all calls. While it `is_down`, look-ups fail; `denied` look-ups
    are refused for lack of a right.
    """

    clock: Callable[[], datetime]
    transforms: frozenset[str] = frozenset({"tfm-1", "tfm-2"})
    limit: int = 3
    listing_delay: timedelta = timedelta(0)
    columns: tuple[str, ...] = ("id", "name")
    label_count: int = 0
    metrics: EvaluationMetrics | None = None

    def __post_init__(self) -> None:
        self.task_runs: dict[str, list[GlueRun]] = {name: [] for name in self.transforms}
        self.faults: list[Fault] = []
        self.calls: list[str] = []
        self.is_down = False
        self.denied: set[str] = set()
        self._lock = threading.Lock()
        self._ids = count(1)

    def start(self, run: Run) -> str:
        return self._start_call("start", run, run.task_type, run.path)

    def start_export(self, run: Run) -> str:
        return self._start_call("start_export", run, "EXPORT_LABELS", run.export_to)

    def get_transform(self, transform_id: str) -> Transform:
        if self.is_down:
            raise GlueUnavailable("Glue cannot be reached")
        if "get_transform" in self.denied:
            raise Refused("AccessDeniedException", "not authorized to perform: glue:GetMLTransform")
        self._task_runs_of(transform_id)
        return Transform(self.columns, self.label_count, metrics=self.metrics)

    def list_task_runs(self, transform_id: str, since: datetime) -> list[GlueRun]:
        self.calls.append("list_task_runs")
        if self.is_down:
            raise GlueUnavailable("Glue cannot be reached")
        visible = self.clock() - self.listing_delay
        return [task_run for task_run in self._task_runs_of(transform_id) if since < task_run.started_on <= visible]

    def get_task_run(self, transform_id: str, task_run_id: str) -> GlueRun:
        self.calls.append("get_task_run")
        task_run = next(
            (task_run for task_run in self._task_runs_of(transform_id) if task_run.task_run_id == task_run_id), None
        )
        if task_run is None:
            raise NotFoundInGlue(
                f"No ML Task Run found for {task_run_id}: in account 123456789012 for transform {transform_id}."
            )
        return task_run

    def cancel(self, transform_id: str, task_run_id: str) -> Status:
        self.calls.append("cancel")
        task_run = self.get_task_run(transform_id, task_run_id)
        if task_run.status in IN_GLUE:
            task_run = self.set_status(task_run_id, Status.STOPPING)
        return task_run.status

    # --- for tests

    def set_status(self, task_run_id: str, status: Status, error: str | None = None) -> GlueRun:
        """Change the status of a task run."""
        for task_runs in self.task_runs.values():
            for position, task_run in enumerate(task_runs):
                if task_run.task_run_id == task_run_id:
                    if task_run.task_type == "IMPORT_LABELS" and status is Status.SUCCEEDED and task_run.status is not status:
                        self.label_count = 10 + (0 if task_run.replace_all_labels else self.label_count)
                    if task_run.task_type == "EVALUATION" and status is Status.SUCCEEDED:
                        self.metrics = metrics_of(task_run_id)
                    completed_on = self.clock() if status.is_terminal else None
                    task_runs[position] = task_run._replace(
                        status=status, completed_on=completed_on, execution_time=7 if completed_on else None, error=error
                    )
                    return task_runs[position]
        raise KeyError(task_run_id)

    def remove(self, task_run_id: str) -> None:
        for task_runs in self.task_runs.values():
            task_runs[:] = [task_run for task_run in task_runs if task_run.task_run_id != task_run_id]

    def all_task_runs(self) -> list[GlueRun]:
        return [task_run for task_runs in self.task_runs.values() for task_run in task_runs]

    def finish_all(self, status: Status = Status.SUCCEEDED) -> None:
        for task_run in self.all_task_runs():
            if task_run.status in IN_GLUE:
                self.set_status(task_run.task_run_id, status)

    def _start_call(self, call: str, run: Run, task_type: str, path: str | None) -> str:
        with self._lock:
            self.calls.append(call)
            fault = self.faults.pop(0) if self.faults else None
            if fault is Fault.THROTTLED:
                raise NotStarted("ThrottlingException: Rate exceeded")
            if fault is Fault.REFUSED:
                raise Refused("InvalidInputException", "no")
            if fault is Fault.LOST_BEFORE:
                raise ResponseLost("read timeout")
            task_run_id = self._start(run, task_type, path)
        if fault is Fault.LOST_AFTER:
            raise ResponseLost("read timeout")
        return task_run_id

    def _task_runs_of(self, transform_id: str) -> list[GlueRun]:
        if transform_id not in self.task_runs:
            raise NotFoundInGlue(f"Cannot find MLTransform in account 123456789012 with handle {transform_id}.")
        return self.task_runs[transform_id]

    def _start(self, run: Run, task_type: str, path: str | None) -> str:
        try:
            task_runs = self._task_runs_of(run.transform_id or "")
        except NotFoundInGlue as error:
            raise Refused(UNKNOWN_TRANSFORM_CODE, str(error)) from error
        if task_type == TaskType.EVALUATION and not self.label_count:
            raise Refused("MLTransformNotReadyException", "Import labels first.")
        if task_type == TaskType.EXPORT_LABELS and not self.label_count:
            raise Refused("NO_LABELS", f"No labelset exists for transformId {run.transform_id}. Import labels first.")
        if sum(task_run.status in IN_GLUE for task_run in task_runs) >= self.limit:
            raise ConcurrencyLimitReached(
                f"ML Task Runs count [{self.limit}] has exceeded the transform limit of [{self.limit}] task runs."
            )
        task_run = GlueRun(
            task_run_id=f"tsk-{next(self._ids)}",
            task_type=task_type,
            status=Status.STARTING,
            started_on=self.clock(),
            completed_on=None,
            execution_time=None,
            error=None,
            path=path,
            replace_all_labels=run.replace_all_labels if task_type == run.task_type and run.is_import else None,
        )
        task_runs.append(task_run)
        return task_run.task_run_id
