"""What is deployed: our code, the pinned packages without what is never loaded, slim models, Amazon's roots, bytecode."""

import compileall
import os
import py_compile
import re
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from ops.package.ahead import compiled_ahead
from ops.package.roots import amazon_roots
from ops.package.spared import spare

PYTHON = (3, 13)
OURS = ("core", "handlers")
ROOTS_FILE = "amazon-roots.pem"  # handlers.aws_clients and handlers.ahead look for them under these names
AHEAD_FILE = "compiled-ahead"
# Nothing that is deployed imports or reads these: tests/template/test_package_contents.py. (boto3 adds nothing to clients.)
NEVER_LOADED = (
    "bin",
    "*.dist-info",
    "boto3",
    "s3transfer",
    "botocore/data",  # written anew, slim
    *(  # what help() shows of clients; the texts are left out of the models, too
        f"botocore/docs/{name}"
        for name in (
            "bcdoc",
            "client.py",
            "example.py",
            "method.py",
            "paginator.py",
            "params.py",
            "service.py",
            "shape.py",
            "sharedexample.py",
            "translator.py",
            "waiter.py",
        )
    ),
    "dateutil/rrule.py",  # calendars
    "dateutil/zoneinfo/*.tar.gz",  # time zones by name: AWS's times are in UTC
    "pydantic/mypy.py",
    "pydantic/v1",
    "urllib3/contrib/emscripten",
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
    "**/*.pyi",
    "**/py.typed",
    "**/*.rst",
)


def fill(folder: Path, source: Path, platforms: list[str]) -> None:
    """Make the whole package in `folder`, for `platforms` (wheel tags), from `source` (the content of src/)."""
    shutil.rmtree(folder, ignore_errors=True)
    _install(folder, source / "requirements.txt", [f"--platform={one}" for one in platforms])
    sys.path.insert(0, str(folder))  # the botocore that is deployed makes its data slim
    from ops.package.botocore_data import names_in_events, slim_data, write_data  # noqa: PLC0415  there was no botocore before

    data = slim_data(source)
    for pattern in NEVER_LOADED:
        for path in [*folder.glob(pattern)]:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    spare(folder, names_in_events(data))
    write_data(data, folder / "botocore" / "data")
    ahead = _compiled_ahead(folder, source)
    compile_all(folder, legacy=True)
    for path in [*folder.rglob("*.py")]:
        path.unlink()  # the packages as bytecode alone: half the size
    shutil.copy(source / "requirements.txt", folder)  # tells scanners what is inside
    (folder / ROOTS_FILE).write_text(amazon_roots((folder / "botocore" / "cacert.pem").read_text()))
    for name in OURS:  # with its sources, for the lines that tracebacks show
        shutil.copytree(source / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        compile_all(folder / name, legacy=False)
    (folder / AHEAD_FILE).write_bytes(ahead)


def _compiled_ahead(folder: Path, source: Path) -> bytes:
    """Made with packages that this machine can run: what is not pure Python is installed once more, for its own processor."""
    sys.path.insert(0, str(source))
    from handlers.ahead import made_by  # noqa: PLC0415  only where the functions' code is

    with TemporaryDirectory() as native:
        listed = (source / "requirements.txt").read_text()
        binary = {path.relative_to(folder).parts[0] for path in folder.rglob("*.so")}
        chosen = Path(native, "requirements.txt")
        chosen.write_text("".join(one for one in _requirements(listed) if one.split("==")[0].replace("-", "_") in binary))
        _install(Path(native), chosen, [])
        return compiled_ahead(made_by(), [Path(native), folder, source])


def _requirements(listed: str) -> list[str]:
    """Each requirement with its hashes, which follow in lines of their own."""
    return re.findall(r"^[\w.-]+==(?:.*\\\n)*.*\n", listed, flags=re.MULTILINE)


def compile_all(folder: Path, *, legacy: bool) -> None:
    """Bytecode beside its source (`legacy`) or in __pycache__; loaded whatever the files' times, which sam puts all in 1980."""
    compiled = compileall.compile_dir(
        folder,
        quiet=1,
        legacy=legacy,
        stripdir=str(folder if legacy else folder.parent),
        prependdir="/var/task",
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
    if not compiled:
        sys.exit("some modules could not be compiled")


def _install(folder: Path, requirements: Path, platform: list[str]) -> None:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--root-user-action=ignore"]
    what = ["--require-hashes", "--no-deps", "--no-compile", "--only-binary=:all:", "--requirement", str(requirements)]
    where = ["--target", str(folder), "--implementation=cp", f"--python-version={PYTHON[0]}.{PYTHON[1]}", *platform]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([*pip, *what, *where], check=True, env=environment)  # noqa: S603  pip, with our own pins
