"""One SQLite file with all of the service's state. Committed changes survive a crash at any point."""

import fcntl
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS transforms (
  position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL UNIQUE,
  document TEXT NOT NULL, tags TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS task_runs (
  position INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, transform_id TEXT NOT NULL, kind TEXT NOT NULL,
  status TEXT NOT NULL, properties TEXT NOT NULL, started_on REAL NOT NULL, last_modified_on REAL NOT NULL,
  running_since REAL, completed_on REAL, error TEXT);
CREATE INDEX IF NOT EXISTS runs_of_transform ON task_runs (transform_id, started_on);
CREATE INDEX IF NOT EXISTS runs_by_status ON task_runs (status, completed_on);
CREATE TABLE IF NOT EXISTS labels (
  position INTEGER PRIMARY KEY AUTOINCREMENT, transform_id TEXT NOT NULL, set_id TEXT NOT NULL, label TEXT NOT NULL,
  key TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS labels_of_set ON labels (transform_id, set_id);
"""


class StateInUse(Exception):
    """Another service uses the same state folder."""


class Database:
    """One connection behind one lock, so that any thread may use it."""

    def __init__(self, folder: Path) -> None:
        """Create the folder if it is missing. Raises StateInUse."""
        folder.mkdir(parents=True, exist_ok=True)
        self._lock_file = (folder / "lock").open("w")
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._lock_file.close()
            raise StateInUse(f"Another Glue service uses {folder}.") from error
        self._lock = threading.RLock()
        self._db = sqlite3.connect(folder / "glue.sqlite3", check_same_thread=False, isolation_level=None)
        self._db.execute("PRAGMA journal_mode=WAL")
        # NORMAL keeps committed changes when the process dies; only a power failure may lose the latest ones.
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.executescript(SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._db.close()
            self._lock_file.close()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing. Transactions may be nested; the outermost one commits."""
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
