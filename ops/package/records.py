"""The RECORD of a wheel: its files, each with the hash that its publisher gave it; and whether a package deploys those."""

import importlib.util
import marshal
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from importlib.metadata import distributions
from pathlib import Path
from types import CodeType

_NAME = re.compile(r"^([\w.-]+)==", re.MULTILINE)
_HEADER = 16  # PEP 552: magic number, flags, hash of the source
_UNCHECKED_HASH = 0b01

Records = Mapping[str, str]  # path in the wheel -> sha256, as RECORD writes it


def read_records(requirements: str, released: Path) -> Records:
    """What the RECORDs of the required wheels, installed in `released`, list with a hash. Raises LookupError."""
    records: dict[str, str] = {}
    for name in _NAME.findall(requirements):
        distribution = next(iter(distributions(name=name, path=[str(released)])), None)
        if distribution is None or distribution.files is None:
            raise LookupError(f"{name} has no RECORD in {released}")
        records |= {str(file): file.hash.value for file in distribution.files if file.hash and ".." not in file.parts}
    return records


def changed_files(folder: Path, released: Path, records: Records) -> set[str]:
    """The files of `folder` that no RECORD lists, or lists with other content.

    Bytecode beside which there is no source is compared with what Python, which has to be the one that made it, makes of the
    wheel's source: instructions, names, constants and lines.
    """
    files = [path.relative_to(folder) for path in folder.rglob("*") if path.is_file()]
    return {str(file) for file in files if not _is_as_released(file, folder, released, records)}


def digest(content: bytes) -> str:
    """As RECORD writes it."""
    return urlsafe_b64encode(sha256(content).digest()).rstrip(b"=").decode()


def _is_as_released(file: Path, folder: Path, released: Path, records: Records) -> bool:
    content = (folder / file).read_bytes()
    if file.suffix != ".pyc":
        return records.get(str(file)) == digest(content)
    source_file = file.with_suffix(".py")
    if str(source_file) not in records:
        return False
    source = (released / source_file).read_bytes()
    return records[str(source_file)] == digest(source) and _is_compiled_from(source, content)


def _is_compiled_from(source: bytes, bytecode: bytes) -> bool:
    header = importlib.util.MAGIC_NUMBER + _UNCHECKED_HASH.to_bytes(4, "little") + importlib.util.source_hash(source)
    if not bytecode.startswith(header):
        return False
    try:
        code = marshal.loads(bytecode[_HEADER:])  # noqa: S302  only compared, never run
    except (EOFError, ValueError, TypeError):
        return False
    compiled = compile(source, code.co_filename, "exec", dont_inherit=True)
    return bool(code == compiled) and _lines(code) == _lines(compiled)


def _lines(code: CodeType) -> list[object]:
    """Which instructions stand in which line, of `code` and of all functions and classes in it."""
    inner = [_lines(constant) for constant in code.co_consts if isinstance(constant, CodeType)]
    return [list(code.co_lines()), *inner]
