"""What the package leaves out is never imported: neither by a module of ours, nor by what such a module imports."""

import ast
import importlib.util
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from ops.package.build import NEVER_LOADED, OURS
from tests.template.deployed_package import SOURCE, run_python

PACKAGES = {
    line.split("==")[0].replace("-", "_") for line in (SOURCE / "requirements.txt").read_text().splitlines() if "==" in line
}
MODULES = {"python_dateutil": "dateutil"}  # whose names differ from their distributions'
# Imported inside functions of the packages that nothing of ours calls.
UNREACHED = {
    "aws_lambda_powertools.event_handler.openapi.swagger_ui": "for a route that shows the document in a browser",
    "boto3": "by the data classes of three kinds of events that are not ours",
    "pydantic.v1": "for models of pydantic 1",
    "s3transfer": "by boto3",
}


def our_modules() -> set[str]:
    """Every module in src/, whether it is imported at once or inside of a function."""
    files = [path.relative_to(SOURCE) for name in OURS for path in (SOURCE / name).rglob("*.py")]
    return {".".join(file.with_suffix("").parts).removesuffix(".__init__") for file in files}


def reachable(start: set[str]) -> set[str]:
    """Every module of ours and of the pinned packages that an import statement leads to, those inside of functions included."""
    packages = {*OURS, *(MODULES.get(name, name) for name in PACKAGES)}
    reached: set[str] = set()
    pending = list(start)
    while pending:
        module = pending.pop()
        for name in _with_parents(module):
            if name not in reached and name.partition(".")[0] in packages and (file := _file(name)):
                reached.add(name)
                pending += _imports(name, file)
    return reached


def left_out() -> set[str]:
    return {
        pattern.removesuffix(".py").replace("/", ".")
        for pattern in NEVER_LOADED
        if "*" not in pattern and pattern != "botocore/data"
    }


def reachable_but_left_out(start: set[str]) -> set[str]:
    modules = reachable(start)
    return {out for out in left_out() for module in modules if f"{module}.".startswith(f"{out}.")}


def test_no_module_of_ours_leads_to_what_is_left_out() -> None:
    assert reachable_but_left_out(our_modules()) == set(UNREACHED)


def test_an_import_of_what_is_left_out_would_be_seen() -> None:
    idempotency = "aws_lambda_powertools.utilities.idempotency"
    assert idempotency in reachable_but_left_out({idempotency})
    assert {"boto3", "s3transfer"} <= reachable_but_left_out({"boto3.session"})


def test_the_imports_are_followed_into_the_packages() -> None:
    assert {"handlers.api", "handlers.rest.openapi", "core.aws.bus"} <= our_modules()
    assert {"botocore.session", "pydantic.main", "urllib3.connectionpool"} <= reachable(our_modules())


# Imports all modules that it reads, and prints those that it could not import, and how many others came with them.
IMPORT_ALL = """
import importlib, json, sys
failed = {}
modules = json.load(sys.stdin)
for name in modules:
    try:
        importlib.import_module(name)
    except ImportError as error:
        failed[name] = str(error)
print(json.dumps([failed, len(set(sys.modules) - set(modules))]))
"""


def test_every_module_of_ours_and_all_that_it_imports_later_can_be_imported_from_the_package(package: Path) -> None:
    lazily_imported = {name for module in our_modules() if (file := _file(module)) for name in _imports(module, file)}
    modules = our_modules() | {name for name in lazily_imported if _is_module(name)}
    assert {"handlers.rest.openapi", "core.aws.bus", "aws_lambda_powertools.event_handler.openapi.params"} <= modules
    failed, count = run_python(IMPORT_ALL, sorted(modules), path=[package], PYTHONNOUSERSITE="1")
    assert failed == {}
    assert count > 500


# --- reading imports


def _is_module(name: str) -> bool:
    package = name.partition(".")[0]
    return package in {*OURS, *(MODULES.get(known, known) for known in PACKAGES)} and _file(name) is not None


def _file(module: str) -> Path | None:
    package, _, rest = module.partition(".")
    if package in OURS:
        home = SOURCE
    else:
        spec = importlib.util.find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        home = Path(spec.origin).parents[1 if spec.submodule_search_locations else 0]
    path = home / package / rest.replace(".", "/") if rest else home / package
    return next((file for file in (path / "__init__.py", path.with_suffix(".py")) if file.exists()), None)


def _with_parents(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts) + 1)]


@cache
def _imports(module: str, file: Path) -> tuple[str, ...]:
    return tuple(_read_imports(module, file))


def _read_imports(module: str, file: Path) -> Iterator[str]:
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    pending: list[ast.AST] = [ast.parse(file.read_text(encoding="utf-8"))]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            pending += node.orelse
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)
        pending += ast.iter_child_nodes(node)
