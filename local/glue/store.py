"""What the service remembers, in one SQLite file: transforms, task runs, labels. Survives a crash at any point."""

import fcntl
import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.glue.label_files import LabelledRow
from local.glue.task_runs import ACTIVE, FAILED, RUNNING, TaskRun, may_move

SCHEMA = """
CREATE TABLE IF NOT EXISTS transforms (
  position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE,
  document TEXT NOT NULL, tags TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS task_runs (
  position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, transform_id TEXT NOT NULL, kind TEXT NOT NULL,
  status TEXT NOT NULL, properties TEXT NOT NULL, started_on REAL NOT NULL, last_modified_on REAL NOT NULL,
  running_since REAL, completed_on REAL, error TEXT);
CREATE INDEX IF NOT EXISTS runs_of_transform ON task_runs (transform_id, position);
CREATE INDEX IF NOT EXISTS runs_by_status ON task_runs (status, completed_on);
CREATE TABLE IF NOT EXISTS labels (
  position INTEGER PRIMARY KEY AUTOINCREMENT, transform_id TEXT NOT NULL, set_id TEXT NOT NULL, label TEXT NOT NULL,
  key TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS labels_of_set ON labels (transform_id, set_id);
"""
RUN_COLUMNS = (
    "id, transform_id, kind, status, properties, started_on, last_modified_on, position, running_since, completed_on, error"
)
INTERRUPTED = "The service stopped while this task run was under way; its work was lost. Start it again."


@dataclass(frozen=True)
class StoredTransform:
    """`document` is Glue's MLTransform without LabelCount, which is counted."""

    transform_id: str
    position: int
    document: dict[str, Any]
    tags: dict[str, str]


class StateInUse(Exception):
    """Another service works in the same folder."""


class Store:
    """One connection behind one lock: every public method is a transaction and safe from any thread."""

    def __init__(self, folder: Path) -> None:
        """Creates the folder if need be. Raises StateInUse."""
        folder.mkdir(parents=True, exist_ok=True)
        self._guard = (folder / "lock").open("w")
        try:
            fcntl.flock(self._guard, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._guard.close()
            raise StateInUse(f"Another Glue service uses {folder}.") from error
        self._lock = threading.RLock()
        self._db = sqlite3.connect(folder / "glue.sqlite3", check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._db.close()
            self._guard.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing; may be nested, the outermost commits."""
        with self._lock:
            if self._db.in_transaction:
                yield self._db
                return
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    # Transforms

    def add_transform(self, transform_id: str, document: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        with self.transaction() as db:
            db.execute(
                "INSERT INTO transforms (id, name, document, tags) VALUES (?, ?, ?, ?)",
                (transform_id, document["Name"], json.dumps(document), json.dumps(tags)),
            )

    def change_transform(self, transform_id: str, changes: Mapping[str, Any], now: float) -> None:
        """Sets members of the transform's document; None removes one."""
        with self.transaction() as db:
            transform = self.transform(transform_id)
            if transform is None:
                return
            merged = {**transform.document, **changes, "LastModifiedOn": now}
            document = {name: value for name, value in merged.items() if value is not None}
            db.execute(
                "UPDATE transforms SET name = ?, document = ? WHERE id = ?",
                (document["Name"], json.dumps(document), transform_id),
            )

    def remove_transform(self, transform_id: str) -> None:
        with self.transaction() as db:
            db.execute("DELETE FROM transforms WHERE id = ?", (transform_id,))
            db.execute("DELETE FROM task_runs WHERE transform_id = ?", (transform_id,))
            db.execute("DELETE FROM labels WHERE transform_id = ?", (transform_id,))

    def transform(self, transform_id: str) -> StoredTransform | None:
        return next(iter(self._transforms("WHERE id = ?", transform_id)), None)

    def transform_named(self, name: str) -> StoredTransform | None:
        return next(iter(self._transforms("WHERE name = ?", name)), None)

    def transforms(self) -> list[StoredTransform]:
        return self._transforms("")

    def _transforms(self, where: str, *values: str) -> list[StoredTransform]:
        with self.transaction() as db:
            rows = db.execute(f"SELECT id, position, document, tags FROM transforms {where}", values).fetchall()  # noqa: S608 - `where` is one of three literals above
        return [StoredTransform(row[0], row[1], json.loads(row[2]), json.loads(row[3])) for row in rows]

    # Task runs

    def add_run(self, run: TaskRun) -> None:
        with self.transaction() as db:
            db.execute(
                "INSERT INTO task_runs (id, transform_id, kind, status, properties, started_on, last_modified_on) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    *(run.run_id, run.transform_id, run.kind, run.status, json.dumps(run.properties)),
                    *(run.started_on, run.last_modified_on),
                ),
            )

    def run(self, transform_id: str, run_id: str) -> TaskRun | None:
        found = self._runs("WHERE transform_id = ? AND id = ?", transform_id, run_id)
        return found[0] if found else None

    def runs(self, transform_id: str) -> list[TaskRun]:
        return self._runs("WHERE transform_id = ?", transform_id)

    def count_busy(self, released_before: float, transform_id: str | None = None) -> int:
        """Runs that hold a slot: active, or ended no earlier than `released_before` (epoch seconds)."""
        clause, value = ("AND transform_id = ?", (transform_id,)) if transform_id else ("", ())
        with self.transaction() as db:
            row = db.execute(
                f"SELECT COUNT(*) FROM task_runs WHERE (status IN (?, ?, ?) OR completed_on > ?) {clause}",  # noqa: S608 - `clause` is one of two literals
                (*ACTIVE, released_before, *value),
            ).fetchone()
        return int(row[0])

    def move_run(self, run_id: str, status: str, now: float, error: str | None = None) -> bool:
        """Moves a run to a state if that is legal from where it stands; says whether it moved."""
        with self.transaction() as db:
            before = db.execute("SELECT status FROM task_runs WHERE id = ?", (run_id,)).fetchone()
            if before is None or not may_move(before[0], status):
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
        """Ends what was under way when the process that ran it died; says how many runs that were."""
        with self.transaction() as db:
            changed = db.execute(
                "UPDATE task_runs SET status = ?, error = ?, completed_on = ?, last_modified_on = ? WHERE status IN (?, ?, ?)",
                (FAILED, INTERRUPTED, now, now, *ACTIVE),
            )
            return changed.rowcount

    def _runs(self, where: str, *values: str) -> list[TaskRun]:
        with self.transaction() as db:
            rows = db.execute(f"SELECT {RUN_COLUMNS} FROM task_runs {where} ORDER BY position", values).fetchall()  # noqa: S608 - only literals are put in
        return [_task_run(row) for row in rows]

    # Labels

    def labels(self, transform_id: str) -> list[LabelledRow]:
        """In the order in which they came, files in the order of their imports."""
        with self.transaction() as db:
            rows = db.execute(
                "SELECT set_id, label, key FROM labels WHERE transform_id = ? ORDER BY position", (transform_id,)
            ).fetchall()
        return [LabelledRow(*row) for row in rows]

    def label_counts(self) -> dict[str, int]:
        with self.transaction() as db:
            return dict(db.execute("SELECT transform_id, COUNT(*) FROM labels GROUP BY transform_id").fetchall())

    def replace_labels(self, transform_id: str, rows: Sequence[LabelledRow]) -> None:
        with self.transaction() as db:
            db.execute("DELETE FROM labels WHERE transform_id = ?", (transform_id,))
            db.executemany(
                "INSERT INTO labels (transform_id, set_id, label, key) VALUES (?, ?, ?, ?)",
                [(transform_id, row.set_id, row.label, row.key) for row in rows],
            )


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
        order=position,
        running_since=running,
        completed_on=completed,
        error=error,
    )
