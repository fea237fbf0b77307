"""Stored transforms."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local.glue.database import Database


@dataclass(frozen=True)
class StoredTransform:
    """`document` is Glue's MLTransform without LabelCount, which is counted from the stored labels."""

    transform_id: str
    sequence: int
    document: dict[str, Any]
    tags: dict[str, str]


class TransformStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, transform_id: str, document: Mapping[str, Any], tags: Mapping[str, str]) -> None:
        with self._database.transaction() as db:
            db.execute(
                "INSERT INTO transforms (id, name, document, tags) VALUES (?, ?, ?, ?)",
                (transform_id, document["Name"], json.dumps(document), json.dumps(tags)),
            )

    def update(self, transform_id: str, changes: Mapping[str, Any], now: float) -> None:
        """Set members of the transform's document; a value of None removes the member."""
        with self._database.transaction() as db:
            transform = self.find(transform_id)
            if transform is None:
                return
            merged = {**transform.document, **changes, "LastModifiedOn": now}
            document = {name: value for name, value in merged.items() if value is not None}
            db.execute(
                "UPDATE transforms SET name = ?, document = ? WHERE id = ?",
                (document["Name"], json.dumps(document), transform_id),
            )

    def find(self, transform_id: str) -> StoredTransform | None:
        return next(iter(self._select("WHERE id = ?", transform_id)), None)

    def find_by_name(self, name: str) -> StoredTransform | None:
        return next(iter(self._select("WHERE name = ?", name)), None)

    def list_all(self) -> list[StoredTransform]:
        return self._select("")

    def _select(self, where: str, *values: str) -> list[StoredTransform]:
        with self._database.transaction() as db:
            rows = db.execute(f"SELECT id, position, document, tags FROM transforms {where}", values).fetchall()  # noqa: S608 - `where` is one of three literals above
        return [StoredTransform(row[0], row[1], json.loads(row[2]), json.loads(row[3])) for row in rows]
