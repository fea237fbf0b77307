"""core.ports.LabelFiles in memory; tests/contract holds it to the one on S3."""

from hashlib import sha256

from core.errors import FileNotReadable, S3Unavailable
from core.ports import OpenFile

GOOD = b"labeling_set_id,label,id,name\na,1,1,Ann\na,1,2,Anne\n"


class MemoryFiles:
    """Every path has a valid file, until a test sets other `contents`; None stands for no file.

    S3 answers `refused` paths with the code that is set there, and cannot be reached for `unreachable` ones.
    """

    def __init__(self) -> None:
        self.contents: dict[str, bytes | None] = {}
        self.refused: dict[str, str] = {}
        self.unreachable: set[str] = set()
        self.is_down = False

    def open(self, path: str) -> OpenFile:
        body = self._body(path)
        return OpenFile(self.current_version(path), len(body), iter([body[:10], body[10:]]))

    def current_version(self, path: str) -> str:
        return sha256(self._body(path)).hexdigest()

    def _body(self, path: str) -> bytes:
        if path in self.refused:
            raise FileNotReadable(self.refused[path], f"the object {path} cannot be read")
        if self.is_down or path in self.unreachable:
            raise S3Unavailable("S3 cannot be reached")
        body = self.contents.get(path, GOOD)
        if body is None:
            raise FileNotReadable("NoSuchKey", f"there is no object {path}")
        return body
