"""Stored task runs."""

import json
from collections.abc import Sequence
from typing import Any

from local.glue.database import Database
from local.glue.task_runs import ACTIVE, FAILED, RUNNING, TaskRun, can_transition

RUN_COLUMNS = (
    "id, transform_id, kind, status, properties, started_on, last_modified_on, position, running_since, completed_on, error"
)
INTERRUPTED = "The service stopped while this task run was under way; its work was lost. Start it again."


class RunStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, run: TaskRun) -> None:
        with self._database.transaction() as db:
            db.execute(
                "INSERT INTO task_runs (id, transform_id, kind, status, properties, started_on, last_modified_on) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    *(run.run_id, run.transform_id, run.kind, run.status, json.dumps(run.properties)),
                    *(run.started_on, run.last_modified_on),
                ),
            )

    def find(self, transform_id: str, run_id: str) -> TaskRun | None:
        runs = self._select("WHERE transform_id = ? AND id = ?", transform_id, run_id)
        return runs[0] if runs else None

    def for_transform(
        self,
        transform_id: str,
        *,
        kind: str | None = None,
        status: str | None = None,
        after: float = float("-inf"),
        before: float = float("inf"),
        until: float = float("inf"),
    ) -> list[TaskRun]:
        """In start order. `after` and `before` exclude their moments, `until` includes its own (epoch seconds)."""
        return self._select(
            "WHERE transform_id = ? AND started_on > ? AND started_on < ? AND started_on <= ? "
            "AND kind = COALESCE(?, kind) AND status = COALESCE(?, status)",
            *(transform_id, after, before, until, kind, status),
        )

    def count_of_kind(self, transform_id: str, kind: str) -> int:
        with self._database.transaction() as db:
            row = db.execute(
                "SELECT COUNT(*) FROM task_runs WHERE transform_id = ? AND kind = ?", (transform_id, kind)
            ).fetchone()
        return int(row[0])

    def count_slots_in_use(self, released_before: float, transform_id: str | None = None) -> int:
        """Runs that occupy a slot: active ones, and those that ended after `released_before` (epoch seconds)."""
        clause, value = ("AND transform_id = ?", (transform_id,)) if transform_id else ("", ())
        with self._database.transaction() as db:
            row = db.execute(
                f"SELECT COUNT(*) FROM task_runs WHERE (status IN (?, ?, ?) OR completed_on > ?) {clause}",  # noqa: S608 - `clause` is one of two literals
                (*ACTIVE, released_before, *value),
            ).fetchone()
        return int(row[0])

    def transition(self, run_id: str, status: str, now: float, error: str | None = None) -> bool:
        """Set a run's status if its current status allows it; returns whether it did."""
        with self._database.transaction() as db:
            row = db.execute("SELECT status FROM task_runs WHERE id = ?", (run_id,)).fetchone()
            if row is None or not can_transition(row[0], status):
                return False
            db.execute(
                "UPDATE task_runs SET status = ?, last_modified_on = ?, error = ?, "
                "running_since = COALESCE(running_since, ?), completed_on = ? WHERE id = ?",
                (
                    *(status, now, error, now if status == RUNNING else None),
                    *(None if status in ACTIVE else now, run_id),
                ),
            )
            return True

    def fail_interrupted(self, now: float) -> int:
        """End the runs that were active when the previous process died; returns their number."""
        with self._database.transaction() as db:
            changed = db.execute(
                "UPDATE task_runs SET status = ?, error = ?, completed_on = ?, last_modified_on = ? WHERE status IN (?, ?, ?)",
                (FAILED, INTERRUPTED, now, now, *ACTIVE),
            )
            return changed.rowcount

    def _select(self, where: str, *values: str | float | None) -> list[TaskRun]:
        with self._database.transaction() as db:
            rows = db.execute(f"SELECT {RUN_COLUMNS} FROM task_runs {where} ORDER BY position", values).fetchall()  # noqa: S608 - only literals are inserted
        return [_task_run(row) for row in rows]


def _task_run(row: Sequence[Any]) -> TaskRun:
    run_id, transform_id, kind, status, properties, started, modified, position, running, completed, error = row
    return TaskRun(
        run_id=run_id,
        transform_id=transform_id,
        kind=kind,
        status=status,
        properties=json.loads(properties),
        started_on=started,
        last_modified_on=modified,
        sequence=position,
        running_since=running,
        completed_on=completed,
        error=error,
    )
