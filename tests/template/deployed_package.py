"""The package as `sam build` makes it, but from the wheels of this environment, not Lambda's; and a Python that runs on it."""

import json
import os
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from ops.package.build import assemble

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
RELEASED = Path(str(distribution("botocore").locate_file("")))  # where this environment's wheels are installed


def assemble_package(folder: Path) -> Path:
    assemble(folder, SOURCE, RELEASED)
    return folder


def run_python(program: str, argument: Any = None, *, path: list[Path], **environment: str) -> Any:  # noqa: ANN401  JSON
    """What `program`, given `argument` on its input, prints as its last line; it finds the modules of `path`, and no others."""
    settings = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "PYTHONPATH": ":".join(map(str, path)),
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        **environment,
    }
    process = subprocess.run(  # noqa: S603  our own program
        [sys.executable, "-S", "-c", program],
        input=json.dumps(argument),
        env=settings,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout.splitlines()[-1])
