"""Which transforms each caller may name."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from core.errors import FieldError, InvalidRequest

_PATTERN = re.compile(r"[A-Za-z0-9*?_-]+")  # the characters of an id, and IAM's wildcards


@dataclass(frozen=True, slots=True)
class CallerTransforms:
    """Caller -> ids, or patterns of ids, of the transforms that it may name; `*` stands for callers without an entry.

    A caller's labels change what others get from the same transform, and an import can replace all labels of it.
    """

    by_caller: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raises ValueError for a pattern that can match no id."""
        for pattern in (pattern for patterns in self.by_caller.values() for pattern in patterns):
            if not _PATTERN.fullmatch(pattern):
                raise ValueError(f"transforms of callers: {pattern!r} is neither an id nor a pattern of ids")

    def check(self, transform_id: str, caller: str) -> None:
        """Raises InvalidRequest if `caller` may not name the transform."""
        patterns = self.by_caller.get(caller, self.by_caller.get("*"))
        if patterns is not None and not any(fnmatchcase(transform_id, pattern) for pattern in patterns):
            allowed = ", ".join(patterns) or "none"
            raise InvalidRequest(FieldError("#/transformId", f"is not allowed for this caller; allowed: {allowed}"))
