"""Telling what goes on: with color and a spinner in a terminal, in plain lines elsewhere."""

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from rich.console import Console

Found = TypeVar("Found")
POLL_SECONDS = 0.25


class StepFailed(Exception):
    """A step did not do what it should; the message says what was expected and what came."""


@dataclass(frozen=True)
class Reporter:
    console: Console

    def step(self, title: str) -> None:
        self.console.print(f"\n{title}", style="bold cyan")

    def fact(self, text: str) -> None:
        self.console.print(f"  {text}")

    @contextlib.contextmanager
    def doing(self, what: str) -> Iterator[None]:
        """What takes a while: a spinner while it lasts, and a line with its seconds once it is done."""
        begun = time.monotonic()
        waiting = self.console.status(f"  {what} ...") if self.console.is_terminal else contextlib.nullcontext()
        with waiting:
            yield
        self.fact(f"{what}: {time.monotonic() - begun:.1f} s")

    def wait_for(self, what: str, look: Callable[[], Found | None], within_seconds: float = 120) -> Found:
        """Look again and again until there is something. Raises StepFailed when time is up."""
        with self.doing(what):
            until = time.monotonic() + within_seconds
            while time.monotonic() < until:
                if (found := look()) is not None:
                    return found
                time.sleep(POLL_SECONDS)
        raise StepFailed(f"{what}: did not happen within {within_seconds:.0f} s")


def check(holds: bool, expected: str, came: object) -> None:  # noqa: FBT001 - an assertion's first argument
    """Raises StepFailed unless it holds."""
    if not holds:
        raise StepFailed(f"expected {expected}, but got {came}")
