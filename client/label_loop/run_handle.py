"""Follow a run to its end."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from label_loop.errors import RunFailed, UsageError, WaitExpired
from label_loop.models import SUCCEEDED, TaskRun
from label_loop.retries import send_until_answered

if TYPE_CHECKING:
    from label_loop.loop import LabelLoop

DEFAULT_WAIT_SECONDS = 48 * 3600.0  # Glue's own limit of a task run
_POLL_SECONDS = 5.0


@dataclass(frozen=True)
class RunHandle:
    """A run as it was last seen, and the means to follow it. Attributes of the run are read from `run`."""

    run: TaskRun
    loop: "LabelLoop" = field(repr=False)

    @property
    def id(self) -> str:
        return self.run.id

    @property
    def status(self) -> str:
        return self.run.status

    def refresh(self) -> "RunHandle":
        return self.loop.task_run(self.id)

    def wait(self, timeout: float = DEFAULT_WAIT_SECONDS, on_change: Callable[[TaskRun], None] = lambda _: None) -> TaskRun:
        """The run once it SUCCEEDED. `on_change` is told each new status; the interval is the service's `Retry-After`.

        Raises RunFailed if it ends otherwise, WaitExpired after `timeout` seconds.
        """
        if timeout < 0:
            raise UsageError("the time to wait cannot be negative")
        clock, sleep = self.loop.retries.clock, self.loop.retries.sleep
        deadline = clock() + timeout
        seen, run, pause = None, self.run, 0.0
        while True:
            if run.status != seen:
                on_change(run)
                seen = run.status
            if run.is_terminal:
                break
            if clock() >= deadline:
                raise WaitExpired(run, timeout)
            sleep(min(pause or _POLL_SECONDS, max(0.0, deadline - clock())))
            response = send_until_answered(lambda: self.loop.api.get_task_run(self.id), self.loop.retries)
            run, pause = TaskRun.of(response.body), float(response.headers.get("retry-after") or 0)
        if run.status != SUCCEEDED:
            raise RunFailed(run)
        return run
