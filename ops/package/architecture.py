"""Which processor a function is built for. sam does not pass it to the Makefile, but writes it to a file before it builds."""

import os
import sys
import tomllib
from pathlib import Path

# Lambda's Python 3.13 runs on AL2023, which has glibc 2.34.
_MANYLINUX = ("manylinux_2_28", "manylinux_2_17", "manylinux2014")
WHEEL_TAGS = {
    "arm64": [f"{platform}_aarch64" for platform in _MANYLINUX],
    "x86_64": [f"{platform}_x86_64" for platform in _MANYLINUX],
}


def architecture_of(function: str, artifacts: Path) -> str:
    """From the build.toml that sam keeps beside its build folder, else from ARCHITECTURE. Exits if neither says it.

    In a container (`sam build --use-container`) there is no build.toml: `--container-env-var ARCHITECTURE=arm64` says it.
    """
    recorded, variable = _recorded(function, artifacts.parent.parent / "build.toml"), os.environ.get("ARCHITECTURE")
    if recorded and variable and recorded != variable:
        sys.exit(f"ARCHITECTURE says {variable}, but template.yaml builds {function} for {recorded}")
    architecture = recorded or variable
    if architecture not in WHEEL_TAGS:
        sys.exit(f"cannot tell for which processor {function} is built: set ARCHITECTURE to one of {', '.join(WHEEL_TAGS)}")
    return architecture


def _recorded(function: str, build_toml: Path) -> str | None:
    if not build_toml.exists():
        return None
    definitions = tomllib.loads(build_toml.read_text()).get("function_build_definitions", {}).values()
    architectures = {
        str(definition.get("architecture")) for definition in definitions if function in definition.get("functions", [])
    }
    return architectures.pop() if len(architectures) == 1 else None
