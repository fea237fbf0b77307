"""A broken invariant."""

from dataclasses import dataclass
from typing import Literal

Invariant = Literal["duplicate", "lost", "stuck", "disagreement", "answer", "unexported", "unchecked"]


@dataclass(frozen=True)
class Violation:
    invariant: Invariant
    detail: str
