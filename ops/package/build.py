"""What is deployed: our code, the pinned packages as released less what is never imported, slim AWS data, Amazon's roots."""

import os
import py_compile
import shutil
import subprocess
import sys
from fnmatch import fnmatch
from importlib.util import cache_from_source
from pathlib import Path
from tempfile import TemporaryDirectory

from ops.package.ca_bundle import amazon_roots
from ops.package.records import changed_files, read_records

PYTHON = (3, 13)
VAR_TASK = "/var/task"  # where Lambda unpacks the package, and what tracebacks name
OURS = ("core", "handlers")
# handlers.aws_clients looks for both under these names.
CA_BUNDLE = "amazon-roots.pem"
AWS_DATA = "aws-data"
REQUIREMENTS = "requirements.txt"
# No module of ours imports these, and none of the packages' files that it reaches reads them:
# tests/template/test_package_imports.py. Paths in the wheels; a folder stands for everything below it.
NEVER_LOADED = (
    "boto3",  # clients are botocore's
    "boto3-*.dist-info",
    "s3transfer",
    "s3transfer-*.dist-info",
    "botocore/data",  # AWS_DATA instead
    "dateutil/zoneinfo/*.tar.gz",  # time zones by name: AWS's times are in UTC
    "pydantic/mypy.py",
    "pydantic/v1",
    "aws_lambda_powertools/event_handler/openapi/swagger_ui",
    *(
        f"aws_lambda_powertools/utilities/{name}"
        for name in (
            "auth_alpha",
            "batch",
            "circuit_breaker",
            "data_masking",
            "feature_flags",
            "idempotency",
            "kafka",
            "metadata",
            "parameters",
            "parser",
            "streaming",
            "validation",
        )
    ),
    "*.pyi",
    "*/py.typed",
    "*.rst",
    "*.dist-info/INSTALLER",  # pip's own notes
    "*.dist-info/REQUESTED",
)


def build(folder: Path, source: Path, platforms: list[str]) -> None:
    """Make the package in `folder`, for `platforms` (wheel tags), from `source` (the content of src/)."""
    with TemporaryDirectory() as released:
        _install(Path(released), source / REQUIREMENTS, [f"--platform={platform}" for platform in platforms])
        assemble(folder, source, Path(released))


def assemble(folder: Path, source: Path, released: Path) -> None:
    """Make the package in `folder` from `source` and the wheels installed in `released`. Exits if a file is not as released."""
    sys.path.insert(0, str(released))  # its data are selected by the botocore that is deployed
    from ops.package.botocore_data import slim_data, write_data  # noqa: PLC0415  there was no botocore before

    shutil.rmtree(folder, ignore_errors=True)
    deploy_packages(folder, (source / REQUIREMENTS).read_text(), released)
    (folder / CA_BUNDLE).write_text(amazon_roots((folder / "botocore" / "cacert.pem").read_text()))
    write_data(slim_data(source), folder / AWS_DATA)
    shutil.copy(source / REQUIREMENTS, folder)  # tells scanners what is inside
    for name in OURS:
        shutil.copytree(source / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        compile_ours(folder / name)


def deploy_packages(folder: Path, requirements: str, released: Path) -> None:
    """Copy what the required wheels consist of, less NEVER_LOADED; modules as bytecode. Exits if a file is not as released."""
    records = read_records(requirements, released)
    for file in sorted(records):
        if is_left_out(file):
            continue
        target = folder / file
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.suffix == ".py":
            compile_module(released / file, target.with_suffix(".pyc"), f"{VAR_TASK}/{file}")
        else:
            shutil.copy(released / file, target)
    if changed := changed_files(folder, released, records):
        sys.exit(f"not as released: {', '.join(sorted(changed))}")


def is_left_out(file: str) -> bool:
    return any(fnmatch(file, pattern) or fnmatch(file, f"{pattern}/*") for pattern in NEVER_LOADED)


def compile_module(source: Path, target: Path, shown: str) -> None:
    """Bytecode that is loaded whatever the files' times, which sam sets to 1980; `shown` is what tracebacks name."""
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(source), str(target), shown, doraise=True, invalidation_mode=mode)


def compile_ours(folder: Path) -> None:
    """Bytecode in __pycache__, beside the sources that tracebacks quote."""
    for source in folder.rglob("*.py"):
        place = source.relative_to(folder.parent)
        compile_module(source, Path(cache_from_source(str(source))), f"{VAR_TASK}/{place}")


def _install(folder: Path, requirements: Path, platform: list[str]) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--root-user-action=ignore"]
    what = ["--require-hashes", "--no-deps", "--no-compile", "--only-binary=:all:", "--requirement", str(requirements)]
    where = ["--target", str(folder), "--implementation=cp", f"--python-version={PYTHON[0]}.{PYTHON[1]}", *platform]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([*pip, *what, *where], check=True, env=environment)  # noqa: S603  pip, with our own pins
