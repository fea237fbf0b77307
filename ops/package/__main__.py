"""`python3.13 -m ops.package FUNCTION SOURCE ARTIFACTS`: `sam build` runs this for each function, through the Makefile here.

All functions have the same package: the first call builds it, the others copy it. See docs/decisions/package.md.
"""

import fcntl
import hashlib
import shutil
import sys
from pathlib import Path

from ops.package.architecture import WHEEL_TAGS, architecture_of
from ops.package.build import PYTHON, build

HERE = Path(__file__).resolve().parent


def main(function: str, source: Path, artifacts: Path) -> None:
    if sys.version_info[:2] != PYTHON:
        sys.exit(f"the functions' bytecode needs Python {PYTHON[0]}.{PYTHON[1]} to compile it, not {sys.version}")
    architecture = architecture_of(function, artifacts)
    cache = artifacts.parent / ".shared"
    package = cache / _cache_key([source, HERE], architecture)
    cache.mkdir(exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not package.exists():
            for outdated in cache.glob("*-*"):
                shutil.rmtree(outdated)
            unfinished = package.with_suffix(".unfinished")
            build(unfinished, source, WHEEL_TAGS[architecture])
            unfinished.rename(package)
    shutil.copytree(package, artifacts, dirs_exist_ok=True)


def _cache_key(folders: list[Path], architecture: str) -> str:
    """A name for the package that changes with everything it is built from."""
    content = hashlib.sha256(f"{architecture} {sys.version}".encode())
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                content.update(f"{path.relative_to(folder)} {path.stat().st_size} ".encode() + path.read_bytes())
    return f"{architecture}-{content.hexdigest()}"


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
