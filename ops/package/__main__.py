"""`python3.13 -m ops.package FUNCTION SOURCE ARTIFACTS`: what `sam build` runs for each function, by way of the Makefile here.

All functions carry the same, so that the first that gets here makes it and the others copy it. See docs/decisions/package.md.
"""

import fcntl
import hashlib
import shutil
import sys
from pathlib import Path

from ops.package.architecture import WHEELS, architecture_of
from ops.package.contents import PYTHON, fill

HERE = Path(__file__).resolve().parent


def main(function: str, source: Path, artifacts: Path) -> None:
    if sys.version_info[:2] != PYTHON:
        sys.exit(f"the functions' bytecode has to be made by Python {PYTHON[0]}.{PYTHON[1]}, not by {sys.version}")
    architecture = architecture_of(function, artifacts)
    shared = artifacts.parent / ".shared"
    made = shared / _name_of([source, HERE], architecture)
    shared.mkdir(exist_ok=True)
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            for other in shared.glob("*-*"):
                shutil.rmtree(other)
            half = made.with_suffix(".half")
            fill(half, source, WHEELS[architecture])
            half.rename(made)
    shutil.copytree(made, artifacts, dirs_exist_ok=True)


def _name_of(folders: list[Path], architecture: str) -> str:
    """Names what comes out by all that goes in."""
    told = hashlib.sha256(f"{architecture} {sys.version}".encode())
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                told.update(f"{path.relative_to(folder)} {path.stat().st_size} ".encode() + path.read_bytes())
    return f"{architecture}-{told.hexdigest()}"


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
