"""What a case may turn out to have broken."""

from dataclasses import dataclass
from typing import Literal

Promise = Literal["duplicate", "lost", "stuck", "disagreement", "answer", "unexported", "unchecked"]


@dataclass(frozen=True)
class Violation:
    what: Promise
    detail: str
