"""The encoding of a text file: by its byte order mark, else UTF-8 if it is, else as charset-normalizer judges."""

import codecs
from pathlib import Path

from charset_normalizer import from_bytes

from local.workbench.source import UnusableFile

_MARKS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_SAMPLE_BYTES = 1_000_000
# What office programs of the world save. A closed list, as a short file fits many encodings that nobody uses.
_CANDIDATES = [
    "cp1252",
    "cp1250",
    "cp1251",
    "cp1253",
    "cp1254",
    "cp1255",
    "cp1256",
    "cp932",
    "gb18030",
    "big5",
    "euc_kr",
    "koi8_r",
]


def decode(content: bytes, path: Path, encoding: str | None) -> tuple[str, str]:
    """The text of a file, and its encoding. Raises UnusableFile if the bytes are no text of it, naming the place."""
    encoding = encoding or _detect(content, path)
    try:
        text = content.decode(encoding)
    except LookupError as error:
        raise UnusableFile(f"{encoding!r} is no encoding. Usual ones: utf-8, cp1252, utf-16.") from error
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UnusableFile(
            f"{path} is not {encoding}: line {line} has bytes that are none. Give the right ENCODING."
        ) from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise UnusableFile(
            f"{path} is no text file: line {line} has a NUL byte. Save the table as CSV, xlsx, Parquet or JSON lines."
        )
    return text, encoding


def _detect(content: bytes, path: Path) -> str:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return encoding
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        best = from_bytes(content[:_SAMPLE_BYTES], cp_isolation=_CANDIDATES).best()
        if best is None:
            raise UnusableFile(f"{path} is no text in any usual encoding. Give its ENCODING, or save it as UTF-8.") from None
        return str(best.encoding)
    return "utf-8"
