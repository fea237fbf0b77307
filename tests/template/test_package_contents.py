"""What the package leaves out is never asked for; what it compiles is loaded whatever the files' times."""

import ast
import importlib.util
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from ops.package.architecture import architecture_of
from ops.package.contents import NEVER_LOADED, OURS, compile_all

SRC = Path(__file__).resolve().parents[2] / "src"
DOORS = ("handlers.api", "handlers.bus", "handlers.schedule", "handlers.announce")
PACKAGES = {
    line.split("==")[0].replace("-", "_") for line in (SRC / "requirements.txt").read_text().splitlines() if "==" in line
}
MODULES = {"python_dateutil": "dateutil"}  # by other names than their distributions
# Imported in a line that no function of ours comes to.
UNREACHED = {
    "aws_lambda_powertools.event_handler.openapi.swagger_ui": "for a route that shows the document",
    **dict.fromkeys(
        (
            "botocore.docs.bcdoc",
            "botocore.docs.client",
            "botocore.docs.example",
            "botocore.docs.method",
            "botocore.docs.paginator",
            "botocore.docs.params",
            "botocore.docs.service",
            "botocore.docs.shape",
            "botocore.docs.sharedexample",
            "botocore.docs.waiter",
        ),
        "for help(), once botocore.docs imports on demand",
    ),
    "dateutil.rrule": "for time zones out of calendars",
    "boto3": "in the data classes of three kinds of events that are not ours",
    "pydantic.v1": "for models of pydantic 1",
    "s3transfer": "by boto3",
    "urllib3.contrib.emscripten": "in a browser",
}


def imported(start: tuple[str, ...]) -> set[str]:
    """Every module of ours and of the pinned packages that an import leads to, those inside of functions included."""
    ours = {*OURS, *(MODULES.get(name, name) for name in PACKAGES)}
    seen: set[str] = set()
    ahead = list(start)
    while ahead:
        module = ahead.pop()
        for name in _with_parents(module):
            if name not in seen and name.partition(".")[0] in ours and (file := _file(name)):
                seen.add(name)
                ahead += _imports(name, file)
    return seen


def left_out() -> set[str]:
    return {
        pattern.removesuffix(".py").replace("/", ".")
        for pattern in NEVER_LOADED
        if "*" not in pattern and pattern not in ("bin", "botocore/data")
    }


def leads_to(start: tuple[str, ...]) -> set[str]:
    modules = imported(start)
    return {out for out in left_out() for module in modules if f"{module}.".startswith(f"{out}.")}


def test_no_door_leads_to_what_is_left_out() -> None:
    assert leads_to(DOORS) == set(UNREACHED)


def test_a_way_there_would_be_seen() -> None:
    assert "aws_lambda_powertools.utilities.idempotency" in leads_to(("aws_lambda_powertools.utilities.idempotency",))
    assert {"boto3", "s3transfer"} <= leads_to(("boto3.session",))


def test_the_doors_do_lead_to_the_packages() -> None:
    assert {"botocore.session", "pydantic.main", "urllib3.connectionpool", "core.aws.bus", "handlers.rest.openapi"} <= imported(
        DOORS
    )


def test_bytecode_is_loaded_whatever_the_files_times(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "one.py").write_text("def one():\n    raise ValueError\n")
    compile_all(tmp_path / "package", legacy=False)
    (compiled,) = (tmp_path / "package" / "__pycache__").glob("one.*.pyc")
    flags = int.from_bytes(compiled.read_bytes()[4:8], "little")
    assert flags == 0b01  # by hash, not to be checked: PEP 552
    assert b"/var/task/package/one.py" in compiled.read_bytes()  # what a traceback names


# --- for which processor


def build(folder: Path, architecture: str) -> Path:
    (folder / "build").mkdir()
    notes = f'[function_build_definitions.a]\narchitecture = "{architecture}"\nfunctions = ["ApiFunction"]\n'
    (folder / "build.toml").write_text(notes)
    return folder / "build" / "ApiFunction"


@pytest.fixture(autouse=True)
def _nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ARCHITECTURE", raising=False)


def test_the_processor_is_the_one_that_sam_wrote_down(tmp_path: Path) -> None:
    assert architecture_of("ApiFunction", build(tmp_path, "x86_64")) == "x86_64"


def test_without_sams_notes_it_has_to_be_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit, match="set ARCHITECTURE"):
        architecture_of("ApiFunction", tmp_path / "build" / "ApiFunction")
    monkeypatch.setenv("ARCHITECTURE", "arm64")
    assert architecture_of("ApiFunction", tmp_path / "build" / "ApiFunction") == "arm64"


def test_nobody_is_built_for_another_processor_than_he_thinks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHITECTURE", "arm64")
    with pytest.raises(SystemExit, match="ARCHITECTURE says arm64"):
        architecture_of("ApiFunction", build(tmp_path, "x86_64"))


# --- reading imports


def _file(module: str) -> Path | None:
    package, _, rest = module.partition(".")
    if package in OURS:
        home = SRC
    else:
        found = importlib.util.find_spec(package)
        assert found is not None
        assert found.origin is not None
        home = Path(found.origin).parents[1 if found.submodule_search_locations else 0]
    path = home / package / rest.replace(".", "/") if rest else home / package
    return next((one for one in (path / "__init__.py", path.with_suffix(".py")) if one.exists()), None)


def _with_parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts) + 1)]


@cache
def _imports(module: str, file: Path) -> tuple[str, ...]:
    return tuple(_read_imports(module, file))


def _read_imports(module: str, file: Path) -> Iterator[str]:
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    ahead: list[ast.AST] = [ast.parse(file.read_text(encoding="utf-8"))]
    while ahead:
        node = ahead.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            ahead += node.orelse
            continue
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        if isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{one.name}" for one in node.names)
        ahead += ast.iter_child_nodes(node)
