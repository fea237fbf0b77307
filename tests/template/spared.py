"""The packages as they are deployed, without being built: copies, rewritten, for a Python of their own."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from ops.package.botocore_data import slim_data, write_data
from ops.package.spared import spare

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("aws_lambda_powertools", "botocore", "dateutil", "jmespath", "pydantic", "pydantic_core", "urllib3")
SERVICES = ("dynamodb", "eventbridge", "glue", "s3")


def home(package: str) -> Path:
    found = importlib.util.find_spec(package)
    assert found is not None
    assert found.origin is not None
    return Path(found.origin).parent


def spared_packages(folder: Path, data: Path | None = None) -> Path:
    """Fill `folder`; botocore's data are the slim ones, or those in `data`."""
    for package in PACKAGES:
        shutil.copytree(home(package), folder / package, ignore=shutil.ignore_patterns("__pycache__", "data"))
    its_data = folder / "botocore" / "data"
    if data is None:
        write_data(slim_data(ROOT / "src"), its_data)
    else:
        its_data.symlink_to(data)
    spare(folder, SERVICES)
    return folder


def told_by(program: str, asked: Any = None, *, packages: Path | None, **environment: str) -> Any:  # noqa: ANN401  JSON
    """What `program` prints as its last line, told `asked` on its input, in a Python that finds `packages` first."""
    path = [*([str(packages)] if packages else []), str(ROOT / "src"), str(ROOT / "bench")]
    settings = {
        "PATH": os.environ["PATH"],
        "HOME": "/nonexistent",
        "PYTHONPATH": ":".join(path),
        "PYTHONHASHSEED": "0",
        **environment,
    }
    command = [sys.executable, "-c", program]
    done = subprocess.run(  # noqa: S603  our own words
        command, input=json.dumps(asked), env=settings, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
