"""The packages with their imports on demand: each name is what it was, and nothing is imported that nobody asked for."""

import ast
import re
from pathlib import Path
from typing import Any

import botocore.handlers

from ops.package.botocore_data import names_in_events, slim_data
from ops.package.contents import NEVER_LOADED
from ops.package.spared import OF_ALL_SERVICES, SHAPES, as_dictionaries, imports_on_demand, spare
from tests.template.spared import PACKAGES, ROOT, SERVICES, told_by

# Prints what each name of each module is; some are of Windows.
NAMES = """
import importlib, json, sys
def look(module, name):
    try:
        return repr(getattr(importlib.import_module(module), name))
    except ImportError as error:
        return str(error)
wanted = json.load(sys.stdin)
print(json.dumps({module: {name: look(module, name) for name in names} for module, names in wanted.items()}))
"""
# Prints what pydantic makes of our models.
SCHEMAS = """
import json
from pydantic_core import core_schema
from core.requests import LabelImportRequest, LabelingSetRequest
from core.views import TaskRun, TaskRunList
from handlers.wiring import LoopSettings
models = (LabelImportRequest, LabelingSetRequest, TaskRun, TaskRunList, LoopSettings)
shapes = {name for name, one in vars(core_schema).items() if isinstance(one, type)}
print(json.dumps([sorted(shapes), sorted(vars(core_schema)), [str(one.__pydantic_core_schema__) for one in models]]))
"""


# Prints the names that each module has, whether at once or on demand; some are of Windows.
ALL_NAMES = """
import importlib, json, sys
def names(module):
    try:
        found = vars(importlib.import_module(module))
    except ImportError as error:
        return str(error)
    return sorted({*found, *found.get("_ON_DEMAND", ())} - {"_ON_DEMAND", "__getattr__"})
print(json.dumps({module: names(module) for module in json.load(sys.stdin)}))
"""


def moved(packages: Path) -> dict[str, list[str]]:
    """The names that modules give on demand, by module, of all that is deployed."""
    found = {}
    for path in packages.rglob("*.py"):
        place = path.relative_to(packages)
        told = [node for node in ast.parse(path.read_text()).body if ast.unparse(node).startswith("_ON_DEMAND = ")]
        if told and _is_deployed(place) and "contrib" not in place.parts:
            assert isinstance(told[0], ast.Assign)
            found[_module(place)] = sorted(ast.literal_eval(told[0].value))
    return found


def test_every_name_is_what_it_was(packages: Path) -> None:
    names = moved(packages)
    assert {
        "aws_lambda_powertools.event_handler",
        "aws_lambda_powertools.utilities.data_classes",
        "botocore.docs.docstring",
        "botocore.configloader",
        "pydantic.plugin._loader",
    } <= names.keys()
    assert _unmoved(told_by(NAMES, names, packages=packages)) == _unmoved(told_by(NAMES, names, packages=None))


def test_who_takes_all_of_a_module_still_has_all(packages: Path) -> None:
    """`from tz import *` takes no names that are on demand."""
    places = [path.relative_to(packages) for path in packages.rglob("*.py") if "import *" in path.read_text()]
    takers = [_module(place) for place in places if _is_deployed(place)]
    assert "dateutil.tz" in takers
    assert told_by(ALL_NAMES, takers, packages=packages) == told_by(ALL_NAMES, takers, packages=None)


def test_pydantic_makes_the_same_of_our_models(packages: Path) -> None:
    shapes, *others = _unmoved(told_by(SCHEMAS, packages=packages))
    shapes_before, *others_before = _unmoved(told_by(SCHEMAS, packages=None))
    assert set(shapes_before) <= set(shapes)  # a union of dictionaries is one, too
    assert others == others_before


def test_types_of_dictionaries_are_dictionaries() -> None:
    source = "class A(TypedDict, total=False):\n    'Told.'\n    one: int\n"
    source += "class B(A, total=False):\n    two: 'Other'\nclass C(D):\n    x: int = 1\n"
    assert as_dictionaries(source).split() == "A = dict B = dict class C(D): x: int = 1".split()  # noqa: SIM905  reads better


def test_the_files_that_are_named_are_there(packages: Path) -> None:
    told = (packages / SHAPES).read_text()
    assert "StringSchema = dict\n" in told
    assert all((packages / place).exists() for place in OF_ALL_SERVICES)


# --- what botocore keeps for all services

# Prints the old names of events, how many handlers botocore has, and of each event it is told its name and how many hear it.
EVENTS = """
import json, sys
from botocore.handlers import BUILTIN_HANDLERS
from botocore.hooks import EventAliaser, HierarchicalEmitter
from botocore.utils import EVENT_ALIASES
emitter = HierarchicalEmitter()
aliased = EventAliaser(emitter)
for name, handler, *_ in BUILTIN_HANDLERS:
    aliased.register(name, handler)
names = json.load(sys.stdin)
heard = {name: [aliased._alias_event_name(name), len(emitter._handlers.prefix_search(name))] for name in names}
print(json.dumps([EVENT_ALIASES, len(BUILTIN_HANDLERS), heard]))
"""


def test_our_services_are_those_of_the_clients() -> None:
    assert names_in_events(slim_data(ROOT / "src")) == set(SERVICES)


def test_the_events_of_our_services_are_called_and_heard_as_before(packages: Path) -> None:
    known = [name for name, *_ in botocore.handlers.BUILTIN_HANDLERS if not name.startswith("docs.")]
    kinds = {name.partition(".")[0] for name in known}
    assert {"before-call", "needs-retry", "creating-client-class"} <= kinds
    operations = {".".join(name.split(".")[2:]) for name in known} | {"PutItem"}
    names = [f"{kind}.{of}.{rest}".rstrip(".") for kind in kinds for of in (*SERVICES, "events") for rest in operations]
    aliases, count, heard = told_by(EVENTS, names, packages=packages)
    all_aliases, all_count, heard_before = told_by(EVENTS, names, packages=None)
    assert heard == heard_before
    assert heard["before-call.events.PutItem"][0] == "before-call.eventbridge.PutItem"
    assert heard["before-parameter-build.s3.GetObject"][1] > heard["before-parameter-build.glue.PutItem"][1] > 0
    assert (len(aliases), count) < (len(all_aliases), all_count)


def test_a_service_whose_handlers_are_gone_would_be_seen(packages: Path) -> None:
    names = ["before-call.logs.A", "before-call.glacier.A"]
    _, _, heard = told_by(EVENTS, names, packages=packages)
    _, _, heard_before = told_by(EVENTS, names, packages=None)
    assert all(heard[name] != heard_before[name] for name in names)


# --- and otherwise


def test_a_name_that_is_a_modules_too_is_imported_at_once(tmp_path: Path) -> None:
    front = tmp_path / "aws_lambda_powertools" / "__init__.py"
    front.parent.mkdir()
    (front.parent / "two.py").write_text("one = two = 1")
    told = "from aws_lambda_powertools.two import two\nfrom .two import one\n"
    spared = imports_on_demand(told, tmp_path, front.relative_to(tmp_path))
    assert spared.startswith("from aws_lambda_powertools.two import two\n\ndef __getattr__(name):")
    assert "_ON_DEMAND = {'one': 'from .two import one'}" in spared


def test_what_has_nothing_to_spare_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    odd = tmp_path / "package" / "one.py"
    odd.write_text("import   json\n")
    spare(tmp_path, SERVICES)
    assert odd.read_text() == "import   json\n"


def test_all_packages_that_are_rewritten_are_tried_here(packages: Path) -> None:
    assert {name.partition(".")[0] for name in moved(packages)} <= set(PACKAGES)


def _is_deployed(place: Path) -> bool:
    return not any(f"{place}".startswith(out) for out in NEVER_LOADED)


def _module(place: Path) -> str:
    return ".".join(place.parent.parts if place.name == "__init__.py" else place.with_suffix("").parts)


def _unmoved(told: Any) -> Any:  # noqa: ANN401  JSON
    """Without where things are: the addresses of functions and classes, the folders of modules."""
    if isinstance(told, dict):
        return {name: _unmoved(one) for name, one in told.items()}
    if isinstance(told, list):
        return [_unmoved(one) for one in told]
    return re.sub(r" at 0x\w+|(?<=:)\d{9,}| from '[^']*'", "", told) if isinstance(told, str) else told
