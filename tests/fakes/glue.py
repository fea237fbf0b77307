"""core.ports.Glue in memory, with the faults that Glue and the network have; tests/contract holds it to the engine."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import count

from core.errors import ConcurrencyLimitReached, NotFoundInGlue, NotStarted, Refused, ResponseLost
from core.ports import GlueRun, Transform
from core.runs import IN_GLUE, Run, Status


class Fault(StrEnum):
    """What happens to one start."""

    LOST_AFTER = "started, and the answer lost"
    LOST_BEFORE = "not started, and no answer"
    THROTTLED = "throttled"
    REFUSED = "refused for good"


@dataclass
class FakeGlue:
    """`listing_delay` is how long a new run is not listed; `faults` are used up one per start."""

    clock: Callable[[], datetime]
    transforms: frozenset[str] = frozenset({"tfm-1", "tfm-2"})
    limit: int = 3
    listing_delay: timedelta = timedelta(0)
    columns: tuple[str, ...] = ("id", "name")
    label_count: int = 0

    def __post_init__(self) -> None:
        self.task_runs: dict[str, list[GlueRun]] = {name: [] for name in self.transforms}
        self.faults: list[Fault] = []
        self.calls: list[str] = []
        self._lock = threading.Lock()
        self._ids = count(1)

    def start(self, run: Run) -> str:
        return self._asked("start", run, run.task_type, run.path)

    def start_export(self, run: Run) -> str:
        return self._asked("start_export", run, "EXPORT_LABELS", run.export_to)

    def get_transform(self, transform_id: str) -> Transform:
        self._of(transform_id)
        return Transform(self.columns, self.label_count)

    def list_task_runs(self, transform_id: str, since: datetime) -> list[GlueRun]:
        self.calls.append("list_task_runs")
        visible = self.clock() - self.listing_delay
        return [one for one in self._of(transform_id) if since < one.started_on <= visible]

    def get_task_run(self, transform_id: str, task_run_id: str) -> GlueRun:
        self.calls.append("get_task_run")
        found = next((one for one in self._of(transform_id) if one.task_run_id == task_run_id), None)
        if found is None:
            raise NotFoundInGlue(
                f"No ML Task Run found for {task_run_id}: in account 123456789012 for transform {transform_id}."
            )
        return found

    def cancel(self, transform_id: str, task_run_id: str) -> Status:
        self.calls.append("cancel")
        found = self.get_task_run(transform_id, task_run_id)
        if found.status in IN_GLUE:
            found = self.set_status(task_run_id, Status.STOPPING)
        return found.status

    # --- what a test does to it

    def set_status(self, task_run_id: str, status: Status, error: str | None = None) -> GlueRun:
        """Let a task run get on."""
        for listed in self.task_runs.values():
            for position, one in enumerate(listed):
                if one.task_run_id == task_run_id:
                    if one.task_type == "IMPORT_LABELS" and status is Status.SUCCEEDED and one.status is not status:
                        self.label_count = 10 + (0 if one.replace_all_labels else self.label_count)
                    over = self.clock() if status.is_terminal else None
                    listed[position] = one._replace(
                        status=status, completed_on=over, execution_time=7 if over else None, error=error
                    )
                    return listed[position]
        raise KeyError(task_run_id)

    def remove(self, task_run_id: str) -> None:
        for listed in self.task_runs.values():
            listed[:] = [one for one in listed if one.task_run_id != task_run_id]

    def all_task_runs(self) -> list[GlueRun]:
        return [one for listed in self.task_runs.values() for one in listed]

    def finish_all(self, status: Status = Status.SUCCEEDED) -> None:
        for one in self.all_task_runs():
            if one.status in IN_GLUE:
                self.set_status(one.task_run_id, status)

    def _asked(self, call: str, run: Run, task_type: str, path: str | None) -> str:
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

    def _of(self, transform_id: str) -> list[GlueRun]:
        if transform_id not in self.task_runs:
            raise NotFoundInGlue(f"Cannot find MLTransform in account 123456789012 with handle {transform_id}.")
        return self.task_runs[transform_id]

    def _start(self, run: Run, task_type: str, path: str | None) -> str:
        try:
            listed = self._of(run.transform_id or "")
        except NotFoundInGlue as error:
            raise Refused("EntityNotFoundException", str(error)) from error
        if sum(one.status in IN_GLUE for one in listed) >= self.limit:
            raise ConcurrencyLimitReached(
                f"ML Task Runs count [{self.limit}] has exceeded the transform limit of [{self.limit}] task runs."
            )
        started = GlueRun(
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
        listed.append(started)
        return started.task_run_id
