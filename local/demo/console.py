"""Progress output: colors and a spinner in a terminal, plain lines elsewhere."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from rich.console import Console

Result = TypeVar("Result")
POLL_SECONDS = 0.25
TIMEOUT_SECONDS = 120


class StepFailed(Exception):
    """A step had the wrong result; the message names the expected and the actual one."""


@dataclass(frozen=True)
class Reporter:
    console: Console

    def step(self, title: str) -> None:
        self.console.print(f"\n{title}", style="bold cyan")

    def detail(self, text: str) -> None:
        self.console.print(f"  {text}")

    @contextlib.contextmanager
    def timed(self, action: str) -> Iterator[None]:
        """A spinner during the block, and a line with the seconds that it took."""
        started = time.monotonic()
        spinner = self.console.status(f"  {action} ...") if self.console.is_terminal else contextlib.nullcontext()
        with spinner:
            yield
        self.detail(f"{action}: {time.monotonic() - started:.1f} s")

    def wait_for(self, action: str, probe: Callable[[], Result | None], timeout_seconds: float = TIMEOUT_SECONDS) -> Result:
        """Call `probe` until it returns something else than None. Raises StepFailed after `timeout_seconds`."""
        with self.timed(action):
            deadline = time.monotonic() + timeout_seconds
            while time.monotonic() < deadline:
                if (result := probe()) is not None:
                    return result
                time.sleep(POLL_SECONDS)
        raise StepFailed(f"{action}: did not happen within {timeout_seconds:.0f} s")


def check(condition: bool, expected: str, actual: object) -> None:  # noqa: FBT001 - an assertion's first argument
    """Raises StepFailed unless the condition holds."""
    if not condition:
        raise StepFailed(f"expected {expected}, but got {actual}")
