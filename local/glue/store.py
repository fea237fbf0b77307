"""All that the service remembers, in one place."""

from pathlib import Path

from local.glue.database import Database
from local.glue.label_store import LabelStore
from local.glue.run_store import RunStore
from local.glue.transform_store import TransformStore


class Store:
    """Every method of its parts is a transaction of its own, or part of the one that `transaction` opened."""

    def __init__(self, folder: Path) -> None:
        """Creates the folder if need be. Raises database.StateInUse."""
        self._database = Database(folder)
        self.transaction = self._database.transaction
        self.close = self._database.close
        self.transforms = TransformStore(self._database)
        self.runs = RunStore(self._database)
        self.labels = LabelStore(self._database)

    def forget_transform(self, transform_id: str) -> None:
        """Removes a transform with its runs and labels."""
        with self.transaction() as db:
            db.execute("DELETE FROM transforms WHERE id = ?", (transform_id,))
            db.execute("DELETE FROM task_runs WHERE transform_id = ?", (transform_id,))
            db.execute("DELETE FROM labels WHERE transform_id = ?", (transform_id,))
