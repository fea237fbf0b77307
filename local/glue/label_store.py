"""Stored labels. A labeled row is known by its primary key, never by its other cells."""

from collections.abc import Sequence

from local.glue.database import Database
from local.glue.label_rules import LabeledRow


class LabelStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def for_transform(self, transform_id: str) -> list[LabeledRow]:
        """In the order of their imports, and within a file in the order of its rows."""
        with self._database.transaction() as db:
            rows = db.execute(
                "SELECT set_id, label, key FROM labels WHERE transform_id = ? ORDER BY position", (transform_id,)
            ).fetchall()
        return [LabeledRow(*row) for row in rows]

    def counts(self) -> dict[str, int]:
        with self._database.transaction() as db:
            return dict(db.execute("SELECT transform_id, COUNT(*) FROM labels GROUP BY transform_id").fetchall())

    def replace(self, transform_id: str, rows: Sequence[LabeledRow]) -> None:
        with self._database.transaction() as db:
            db.execute("DELETE FROM labels WHERE transform_id = ?", (transform_id,))
            db.executemany(
                "INSERT INTO labels (transform_id, set_id, label, key) VALUES (?, ?, ?, ?)",
                [(transform_id, row.set_id, row.label, row.key) for row in rows],
            )
