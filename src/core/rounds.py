"""A round of the reconciler: its part of the open runs, and how far it has got, which the ledger keeps."""

import logging
from datetime import timedelta
from typing import NamedTuple

from core.errors import LedgerUnavailable, RoundInProgress
from core.open_runs import SHARDS, Checkpoint, Place
from core.ports import Dependencies

_log = logging.getLogger(__name__)
_SAVE_AFTER = timedelta(seconds=30)  # a shorter round writes nothing; a process that is killed loses no more than this
_HOLD_FOR = timedelta(seconds=60)


class Part(NamedTuple):
    """The `number`-th, from 0, of the `parts` that share the shards of the open runs. Each part has its own rounds."""

    number: int
    parts: int

    @classmethod
    def of(cls, number: int, parts: int) -> "Part":
        """Raises ValueError if there is no such part."""
        if not 0 <= number < parts <= len(SHARDS):
            raise ValueError(f"part {number} of {parts}: there are at most {len(SHARDS)} parts, counted from 0")
        return cls(number, parts)

    @property
    def shards(self) -> tuple[str, ...]:
        first, end = (len(SHARDS) * number // self.parts for number in (self.number, self.number + 1))
        return SHARDS[first:end]

    def __str__(self) -> str:
        return f"{self.number}/{self.parts}"


ALL_SHARDS = Part(0, 1)


class Round:
    """The round of a part. Its checkpoint is a hint, so the last writer wins: every change of a run is conditional anyway."""

    def __init__(self, part: Part, deps: Dependencies) -> None:
        """Raises RoundInProgress, LedgerUnavailable."""
        self._part = str(part)
        self._deps = deps
        self._saved = deps.ledger.checkpoint(self._part)
        self._saved_on = deps.clock()
        if self._saved and self._saved.held_until and self._saved_on < self._saved.held_until:
            raise RoundInProgress(f"the last round of part {part} is still running")

    @property
    def begin(self) -> Place | None:
        """Where the last round stopped; None if it got through."""
        return self._saved.place if self._saved else None

    def pass_by(self, place: Place) -> None:
        """Save now and then that the round has come to `place`, for the case that the process is killed."""
        now = self._deps.clock()
        if now - self._saved_on >= _SAVE_AFTER:
            self._saved_on = now
            self._save(Checkpoint(place, held_until=now + _HOLD_FOR))

    def stop_at(self, place: Place) -> None:
        """End a round that has not got through all transforms: the next one begins at `place`."""
        self._save(Checkpoint(place, held_until=None))

    def finish(self) -> None:
        """End a round that has got through all transforms."""
        if self._saved is not None:
            self._save(None)

    def _save(self, checkpoint: Checkpoint | None) -> None:
        self._saved = checkpoint
        try:
            self._deps.ledger.save_checkpoint(self._part, checkpoint)
        except LedgerUnavailable as error:
            _log.warning("CHECKPOINT_NOT_SAVED", extra={"part": self._part, "cause": type(error).__name__})
