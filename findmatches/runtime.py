"""How a run uses the machine: in how many parts it works, how many of them at a time, where blocks wait, who hears of it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from findmatches.blocks.exchange import Exchange, LocalExchange, Progress
from findmatches.blocks.processes import ProcessExchange

# Smaller tables are matched as one part: moving blocks would cost more than a second core saves.
_ONE_PART_UP_TO_ROWS = 50_000
# The blocks of larger tables wait in files, and are worked on by processes.
_IN_MEMORY_UP_TO_ROWS = 200_000
_ROWS_PER_PART = 75_000


@dataclass(frozen=True)
class Runtime:
    """Nothing of it changes a result. What is None is chosen by the number of rows.

    `parts`: into how many parts the table is divided.
    `workers`: how many parts are worked on at a time; by default as many as there are cores.
    `processes`: whether parts are worked on by processes of their own, with blocks in files, or in this process's memory.
    `folder`: where those files are put; by default where temporary files are.
    `progress`: called with a stage's name, how many of its parts are done, and of how many.
    """

    parts: int | None = None
    workers: int | None = None
    processes: bool | None = None
    folder: Path | None = None
    progress: Progress | None = None

    @contextmanager
    def exchange(self, rows: int) -> Iterator[Exchange]:
        """An exchange for a table of so many rows; what it holds is gone afterwards."""
        workers = self.workers or len(os.sched_getaffinity(0))
        if self.processes or (self.processes is None and rows > _IN_MEMORY_UP_TO_ROWS):
            parts = self.parts or max(workers, -(-rows // _ROWS_PER_PART))
            with ProcessExchange(parts, min(parts, workers), self.progress, self.folder) as exchange:
                yield exchange
        else:
            parts = self.parts or (workers if rows > _ONE_PART_UP_TO_ROWS else 1)
            yield LocalExchange(parts, workers, self.progress)


DEFAULT_RUNTIME = Runtime()
