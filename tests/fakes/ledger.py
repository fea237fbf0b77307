"""core.ports.Ledger in memory; tests/contract holds it to the one on DynamoDB."""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count

from core.errors import Conflict, InvalidCursor, QueueBlocked, QueueLimitReached
from core.open_runs import SHARDS, Checkpoint, OpenRun, Place, open_run
from core.ports import RunFilter, RunPage
from core.runs import Progress, Run
from core.transform_queue import QueueMove, is_next, queue_key, queue_move, queued_run_id


@dataclass
class Queue:
    waiting: list[str] = field(default_factory=list)
    importing: str | None = None


class MemoryLedger:
    """`all_recent`: whether `get_if_recent` returns every run, as in a process that has seen all of them, or none."""

    def __init__(self, *, all_recent: bool = True) -> None:
        self.all_recent = all_recent
        self.items: dict[str, Run] = {}
        self.queues: dict[str | None, Queue] = {}
        self.changes: list[tuple[Run | None, Run]] = []  # what the table's stream would deliver
        self._lock = threading.RLock()
        self._revisions = count(1)
        self._checkpoints: dict[str, Checkpoint | None] = {}

    def write(self, before: Run | None, after: Run, *, max_queued: int | None = None) -> Run:
        with self._lock:
            old = self._require_unchanged(before, after.id)
            self._change_queue(queue_move(before, after), after, max_queued)
            run = replace(after, revision=str(next(self._revisions)))
            self.items[run.id] = run
            self.changes.append((old, run))
            return run

    def delete(self, run: Run) -> None:
        with self._lock:
            if run.id in self.items:
                self._require_unchanged(run, run.id)
                self._change_queue(queue_move(run, None), run, None)
                del self.items[run.id]

    def get(self, run_id: str) -> Run | None:
        return self.items.get(run_id)

    def get_if_recent(self, run_id: str) -> Run | None:
        return self.get(run_id) if self.all_recent else None

    def list_runs(self, run_filter: RunFilter, limit: int, cursor: str | None) -> RunPage:
        newest_first = sorted(self.items.values(), key=_age, reverse=True)
        if cursor is not None:
            age, _, filters = cursor.partition("|")
            if filters != repr(run_filter):
                raise InvalidCursor("belongs to a listing with other filters")
            newest_first = [run for run in newest_first if repr(_age(run)) < age]
        matching = [run for run in newest_first if _matches(run, run_filter)]
        next_cursor = f"{_age(matching[limit - 1])!r}|{run_filter!r}" if len(matching) > limit else None
        return RunPage(tuple(matching[:limit]), next_cursor)

    def open_runs(self, shards: Sequence[str] = SHARDS, begin: Place | None = None) -> Iterator[OpenRun]:
        entries = [open_run(run) for run in self.items.values() if not run.status.is_terminal]
        ordered = sorted(entries, key=lambda run: (run.shard, run.transform_id, run.requested_on, run.id))
        of_shards = [run for run in ordered if run.shard in shards]
        first = begin or Place("", "")
        yield from (run for run in of_shards if (run.shard, run.transform_id) >= first)
        yield from (run for run in of_shards if (run.shard, run.transform_id) < first)

    def checkpoint(self, part: str) -> Checkpoint | None:
        return self._checkpoints.get(part)

    def save_checkpoint(self, part: str, checkpoint: Checkpoint | None) -> None:
        self._checkpoints[part] = checkpoint

    def record_progress(self, run: OpenRun, progress: Progress) -> Run:
        if run.task_type.is_exclusive and progress.status.is_terminal:
            raise ValueError("the end of an exclusive run changes the queue, and needs write")
        with self._lock:
            current = self.items.get(run.id)
            if current is None or (current.revision, current.task_run_id) != (run.revision, progress.task_run_id):
                raise Conflict(current)
            return self.write(current, progress.apply_to(current))

    def queue(self, transform_id: str) -> tuple[str, ...]:
        return tuple(map(queued_run_id, self.queues.get(transform_id, Queue()).waiting))

    def known_task_run_ids(self, transform_id: str, since: datetime) -> frozenset[str]:
        return frozenset(
            run.task_run_id
            for run in self.items.values()
            if run.task_run_id and run.transform_id == transform_id and run.requested_on >= since
        )

    def _require_unchanged(self, before: Run | None, run_id: str) -> Run | None:
        current = self.items.get(run_id)
        if (current and current.revision) != (before and before.revision):
            raise Conflict(current)
        return current

    def _change_queue(self, move: QueueMove, run: Run, max_queued: int | None) -> None:
        queue = self.queues.setdefault(run.transform_id, Queue())
        if move.requires_empty_queue and queue.waiting:
            raise QueueBlocked("other runs are queued")
        if move.opens_exclusive and queue.importing:
            raise QueueBlocked("an exclusive run is open")
        if move.requires_head_of_queue and not is_next(run, tuple(queue.waiting)):
            raise QueueBlocked("older runs of the same type are queued")
        if move.joins and max_queued is not None and len(queue.waiting) >= max_queued:
            raise QueueLimitReached("the queue is full")
        if move.joins_at_head:
            queue.waiting.insert(0, queue_key(run))
        if move.joins_at_tail:
            queue.waiting.append(queue_key(run))
        if move.leaves:
            queue.waiting.remove(queue_key(run))
        if move.opens_exclusive:
            queue.importing = run.id
        if move.closes_exclusive:
            queue.importing = None


def _age(run: Run) -> tuple[str, str]:
    return (run.requested_on.isoformat(timespec="microseconds"), run.id)


def _matches(run: Run, run_filter: RunFilter) -> bool:
    return (
        run_filter.transform_id in (None, run.transform_id)
        and run_filter.status in (None, run.status)
        and run_filter.task_type in (None, run.task_type)
        and run_filter.requested_by in (None, run.requested_by)
    )
