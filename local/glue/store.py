"""The service's stores on one database."""

from pathlib import Path

from local.glue.database import Database
from local.glue.label_store import LabelStore
from local.glue.run_store import RunStore
from local.glue.transform_store import TransformStore


class Store:
    """Each method of a store is a transaction of its own, or joins the one that `transaction` has opened."""

    def __init__(self, folder: Path) -> None:
        """Create the folder if it is missing. Raises database.StateInUse."""
        self._database = Database(folder)
        self.transaction = self._database.transaction
        self.close = self._database.close
        self.transforms = TransformStore(self._database)
        self.runs = RunStore(self._database)
        self.labels = LabelStore(self._database)

    def delete_transform_records(self, transform_id: str) -> None:
        """Delete a transform with its runs and labels."""
        with self.transaction() as db:
            db.execute("DELETE FROM transforms WHERE id = ?", (transform_id,))
            db.execute("DELETE FROM task_runs WHERE transform_id = ?", (transform_id,))
            db.execute("DELETE FROM labels WHERE transform_id = ?", (transform_id,))
