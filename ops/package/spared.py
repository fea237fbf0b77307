"""What of the packages' sources no start needs, taken out of its way before they are compiled."""

import ast
from collections.abc import Collection
from pathlib import Path

from ops.package.on_demand import Imported, on_demand

# None of them is asked for on the way to a started run (tests/template/test_package_at_work.py): botocore's help texts, its
# other ways to settings and retries, dates that are no numbers, searches in JSON; pydantic's plug-ins, of which there are none.
WAIT = (
    "aws_lambda_powertools.tracing",
    "aws_lambda_powertools.utilities.jmespath_utils",
    "botocore.docs.bcdoc",
    "botocore.docs.method",
    "botocore.docs.paginator",
    "botocore.docs.service",
    "botocore.docs.waiter",
    "botocore.endpoint_provider",
    "botocore.eventstream",
    "botocore.retries.adaptive",
    "botocore.vendored.six",
    "botocore.waiter",
    "configparser",
    "dateutil",
    "importlib.metadata",
    "jmespath",
    "mimetypes",
    "shlex",
)
# Its __init__.py bring in a resolver for every kind of caller, and a class for every kind of event; we use two of them.
FRONTS = "aws_lambda_powertools"
# Ninety types of dictionaries, for type checkers alone.
SHAPES = Path("pydantic_core/core_schema.py")
# What botocore keeps for all of its services, and goes through with each session: old names of events, and handlers of its own.
OF_ALL_SERVICES = {
    Path("botocore/utils.py"): "EVENT_ALIASES = {old: new for old, new in EVENT_ALIASES.items() if new in {services}}",
    Path("botocore/handlers.py"): (
        "BUILTIN_HANDLERS = [one for one in BUILTIN_HANDLERS if one[0].split('.')[0] != 'docs'"
        " and (one[0] + '.*').split('.')[1] in ['*', *{services}]]"
    ),
}


def spare(folder: Path, services: Collection[str]) -> None:
    """Rewrite the packages in `folder` for clients of `services`, by their names in botocore's events (`dynamodb`)."""
    for path in folder.rglob("*.py"):
        place = path.relative_to(folder)
        source = path.read_text(encoding="utf-8")
        spared = imports_on_demand(source, folder, place)
        if place == SHAPES:
            spared = as_dictionaries(spared)
        if place in OF_ALL_SERVICES:
            spared += f"\n{OF_ALL_SERVICES[place].replace('{services}', repr(sorted(services)))}\n"
        if spared != source:
            path.write_text(spared, encoding="utf-8")


def imports_on_demand(source: str, folder: Path, place: Path) -> str:
    """The source at `place` below `folder`, with the imports on demand that no start needs."""
    in_front = place.name == "__init__.py"
    in_fronts = in_front and place.parts[0] == FRONTS

    def waits(one: Imported) -> bool:
        if in_front and _is_module(folder / place.parent / one.bound):
            return False  # to import a module puts it in the place of what has the same name
        asked_of_front = in_fronts and one.module.startswith(f"{FRONTS}.")
        return asked_of_front or _waits(str(one))

    if _waits(".".join(place.with_suffix("").parts)):
        return source  # nobody imports it before it is needed, and then it may as well be whole
    return on_demand(source, ".".join(place.parent.parts), waits)


def _waits(module: str) -> bool:
    return any(f"{module}.".startswith(f"{one}.") for one in WAIT)


def as_dictionaries(source: str) -> str:
    """`source` with `dict` for each type of dictionaries: it makes no others, but typing makes classes of them."""
    tree = ast.parse(source)
    typed = {"TypedDict"}
    for place, node in enumerate(tree.body):
        if isinstance(node, ast.ClassDef) and typed.intersection(map(ast.unparse, node.bases)):
            typed.add(node.name)
            tree.body[place] = ast.parse(f"{node.name} = dict").body[0]
    return ast.unparse(tree)


def _is_module(path: Path) -> bool:
    return path.is_dir() or path.with_suffix(".py").exists()
