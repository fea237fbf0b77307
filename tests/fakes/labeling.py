"""core.labeling's ports in memory; tests/contract holds them to those on AWS."""

from datetime import datetime
from hashlib import sha256
from itertools import count

from core.errors import FileNotReadable, S3Unavailable
from core.labeling.ports import Document, ObjectChanged, SetObject, StaleDocument


class MemoryDocuments:
    def __init__(self) -> None:
        self.items: dict[str, Document] = {}
        self.expiry: dict[str, datetime] = {}
        self._revisions = count(1)

    def read(self, key: str) -> Document | None:
        return self.items.get(key)

    def write(self, key: str, text: str, expected: str | None, expires_on: datetime) -> str:
        current = self.items.get(key)
        if (current and current.revision) != expected:
            raise StaleDocument(current)
        revision = str(next(self._revisions))
        self.items[key] = Document(text, revision)
        self.expiry[key] = expires_on
        return revision


class MemoryObjects:
    """`contents`: path -> bytes. S3 itself is shared with `tests.fakes.files`, which a test passes as `contents`."""

    def __init__(self, contents: dict[str, bytes | None] | None = None) -> None:
        self.contents: dict[str, bytes | None] = {} if contents is None else contents
        self.writes: list[str] = []
        self.is_down = False

    def csv_files(self, prefix: str) -> list[str]:
        self._require_up()
        paths = sorted(path for path, body in self.contents.items() if body is not None and path.startswith(prefix))
        return [path for path in paths if "/" not in path[len(prefix) :] and path.lower().endswith(".csv")][:2]

    def read(self, path: str, etag: str | None = None) -> SetObject:
        self._require_up()
        body = self.contents.get(path)
        if body is None:
            raise FileNotReadable("NoSuchKey", f"there is no object {path}")
        if etag not in (None, _etag(body)):
            raise ObjectChanged(f"{path} was changed")
        return SetObject(body, _etag(body))

    def create(self, path: str, body: bytes) -> None:
        self._require_up()
        if self.contents.get(path) is None:
            self.contents[path] = body
            self.writes.append(path)

    def _require_up(self) -> None:
        if self.is_down:
            raise S3Unavailable("S3 cannot be reached")


def _etag(body: bytes) -> str:
    return f'"{sha256(body).hexdigest()[:32]}"'
