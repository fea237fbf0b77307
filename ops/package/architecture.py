"""Which processor a function is built for. sam does not tell the Makefile, but writes it down before it builds."""

import os
import sys
import tomllib
from pathlib import Path

# AL2023, on which Lambda's Python 3.13 stands, has glibc 2.34.
_MANYLINUX = ("manylinux_2_28", "manylinux_2_17", "manylinux2014")
WHEELS = {
    "arm64": [f"{one}_aarch64" for one in _MANYLINUX],
    "x86_64": [f"{one}_x86_64" for one in _MANYLINUX],
}


def architecture_of(function: str, artifacts: Path) -> str:
    """From the build.toml that sam keeps beside its build folder, else from ARCHITECTURE; there is no guess.

    In a container (`sam build --use-container`) there is no build.toml: `--container-env-var ARCHITECTURE=arm64` says it.
    """
    written, told = _written(function, artifacts.parent.parent / "build.toml"), os.environ.get("ARCHITECTURE")
    if written and told and written != told:
        sys.exit(f"ARCHITECTURE says {told}, but template.yaml builds {function} for {written}")
    chosen = written or told
    if chosen not in WHEELS:
        sys.exit(f"cannot tell for which processor {function} is built: set ARCHITECTURE to one of {', '.join(WHEELS)}")
    return chosen


def _written(function: str, notes: Path) -> str | None:
    if not notes.exists():
        return None
    definitions = tomllib.loads(notes.read_text()).get("function_build_definitions", {}).values()
    found = {str(one.get("architecture")) for one in definitions if function in one.get("functions", [])}
    return found.pop() if len(found) == 1 else None
