"""The interfaces of what labeling depends on beside core.ports. core.aws implements them on AWS, tests/fakes in memory."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from core.errors import LoopError
from core.ports import Dependencies


class Document(NamedTuple):
    """A JSON text in the ledger. `revision` changes with every write."""

    text: str
    revision: str


class StaleDocument(LoopError):
    """The document has changed since the writer read it; `current` is the document as it is now, None if there is none."""

    def __init__(self, current: Document | None) -> None:
        super().__init__("the document was changed by another writer")
        self.current = current


class Documents(Protocol):
    """JSON documents in the ledger, beside its runs and in none of its indexes."""

    def read(self, key: str) -> Document | None:
        """The current state of the document. Raises LedgerUnavailable."""

    def write(self, key: str, text: str, expected: str | None, expires_on: datetime) -> str:
        """Replace the document of revision `expected` (None: there is none), and return the new revision.

        The ledger may forget it at any time after `expires_on`. Raises StaleDocument, LedgerUnavailable.
        """


class SetObject(NamedTuple):
    """An object that was read in full."""

    body: bytes
    etag: str


class ObjectChanged(LoopError):
    """The object is not the one that was pinned, or is gone."""


class LabelingObjects(Protocol):
    """The files of labeling sets in S3. Paths are `s3://bucket/key`; every method raises S3Unavailable and FileNotReadable."""

    def csv_files(self, prefix: str) -> list[str]:
        """The paths of the CSV files directly under `prefix`, two at most."""

    def read(self, path: str, etag: str | None = None) -> SetObject:
        """The object, on condition that it has this `etag`. Raises ObjectChanged."""

    def create(self, path: str, body: bytes) -> None:
        """Write the object unless there is one at `path`: paths hold a hash of the content, so it has the same content."""


@dataclass(frozen=True, slots=True)
class LabelingDependencies:
    """What labeling works with. `label_url` is the address of the labeling page's API, empty where the page is off.

    `random_text` makes that many characters of base64url, which nobody can guess.
    """

    runs: Dependencies
    documents: Documents
    objects: LabelingObjects
    random_text: Callable[[int], str]
    label_url: str = ""
    max_link_age: timedelta = timedelta(days=7)
