"""Imports on demand: a module does what it did, and imports what only its functions need when one of them runs."""

import importlib
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ops.package.on_demand import Imported, on_demand


class Workshop:
    """Makes modules of a package called `shop`, in which `costly` is what nobody should import without need."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.folder = folder / name
        self.folder.mkdir()
        (self.folder / "__init__.py").write_text("")
        (self.folder / "costly.py").write_text("thing = 'a thing'\nclass Fault(Exception): ...\n")

    def rewritten(self, source: str) -> str:
        return on_demand(source.replace("shop", self.name), self.name, self._waits)

    def made(self, source: str) -> ModuleType:
        (self.folder / "made.py").write_text(self.rewritten(source))
        importlib.invalidate_caches()
        return importlib.import_module(f"{self.name}.made")

    @property
    def is_costly(self) -> bool:
        return f"{self.name}.costly" in sys.modules

    def _waits(self, one: Imported) -> bool:
        return f"{one}.".startswith(f"{self.name}.costly.")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Workshop:
    monkeypatch.syspath_prepend(tmp_path)
    return Workshop(tmp_path, f"shop_{abs(hash(request.node.nodeid))}")


WAYS = {
    "a name": ("from shop.costly import thing", "thing"),
    "another name": ("from shop.costly import thing as mine", "mine"),
    "from beside": ("from .costly import thing", "thing"),
    "a module from its package": ("from shop import costly", "costly.thing"),
    "a module by its path": ("import shop.costly", "shop.costly.thing"),
    "a module by another name": ("import shop.costly as it", "it.thing"),
}


@pytest.mark.parametrize("way", sorted(WAYS))
def test_it_is_imported_when_a_function_that_needs_it_runs(shop: Workshop, way: str) -> None:
    imported, use = WAYS[way]
    module = shop.made(f"{imported}\ndef other():\n    return 1\ndef get():\n    '''Told.'''\n    return {use}\n")
    assert module.other() == 1
    assert not shop.is_costly
    assert module.get() == "a thing"
    assert module.get.__doc__ == "Told."
    assert shop.is_costly


@pytest.mark.parametrize("way", sorted(WAYS))
def test_it_is_imported_when_somebody_asks_the_module_for_it(shop: Workshop, way: str) -> None:
    imported, use = WAYS[way]
    module = shop.made(f"{imported}\n")
    assert not shop.is_costly
    found: Any = module
    for part in use.replace("shop", shop.name).split("."):
        found = getattr(found, part)
    assert found == "a thing"


def test_a_name_that_a_module_never_had_is_still_missing(shop: Workshop) -> None:
    module = shop.made("from shop.costly import thing\n")
    with pytest.raises(AttributeError, match=r"module 'shop_\w+.made' has no attribute 'other'"):
        _ = module.other


BRANCHES = {
    "def": "def get(wanted):\n    def inner():\n        return thing\n    return inner() if wanted else 0",
    "if": "def get(wanted):\n    if wanted:\n        return thing\n    elif wanted is None:\n        raise thing\n    return 0",
    "for": "def get(wanted):\n    for _ in range(bool(wanted)):\n        return thing\n    return 0",
    "try": "def get(wanted):\n    try:\n        if wanted:\n            return thing\n    finally:\n        pass\n    return 0",
    "with": "import io\ndef get(wanted):\n    with io.StringIO():\n        if wanted:\n            return thing\n    return 0",
}


@pytest.mark.parametrize("kind", sorted(BRANCHES))
def test_a_branch_that_does_without_it_does_not_import_it(shop: Workshop, kind: str) -> None:
    module = shop.made(f"from shop.costly import thing\n{BRANCHES[kind]}\n")
    assert module.get(False) == 0
    assert not shop.is_costly
    assert module.get(True) == "a thing"


def test_each_use_finds_it_whichever_branches_ran_before(shop: Workshop) -> None:
    body = "def get(one, two):\n    if one:\n        _ = thing\n    if two:\n        _ = [thing]\n    return lambda: thing\n"
    module = shop.made(f"from shop.costly import thing\n{body}")
    for one in (True, False):
        for two in (True, False):
            assert module.get(one, two)() == "a thing"


def test_an_error_is_caught_by_its_name(shop: Workshop) -> None:
    body = "def get():\n    try:\n        raise Fault\n    except Fault:\n        return 'caught'\n"
    assert shop.made(f"from shop.costly import Fault\n{body}").get() == "caught"


def test_a_class_in_a_function_finds_it(shop: Workshop) -> None:
    body = "def get():\n    class A:\n        mine = thing\n    return A.mine\n"
    assert shop.made(f"from shop.costly import thing\n{body}").get() == "a thing"


def test_methods_and_functions_in_functions_find_it(shop: Workshop) -> None:
    body = "class A:\n    def get(self):\n        def inner():\n            return thing\n        return inner()\n"
    assert shop.made(f"from shop.costly import thing\n{body}").A().get() == "a thing"


STAYS = {
    "a base class": "from shop.costly import Fault\nclass Mine(Fault): ...",
    "a decorator": "from shop.costly import thing\ndef wrap(_):\n    return lambda f: f\n@wrap(thing)\ndef get(): ...",
    "a default": "from shop.costly import thing\ndef get(it=thing):\n    return it",
    "a default by name": "from shop.costly import thing\ndef get(*, it=thing):\n    return it",
    "an annotation": "from shop.costly import Fault\ndef get(it: Fault) -> None: ...",
    "a class's own line": "from shop.costly import thing\nclass A:\n    mine = thing",
    "a lambda at the top": "from shop.costly import thing\nget = lambda: thing",
    "a name given twice": "from shop.costly import thing\ndef get(thing):\n    return thing",
    "a global that is set": "from shop.costly import thing\ndef set():\n    global thing\n    thing = 1",
    "a module with an answer of its own": "from shop.costly import thing\ndef __getattr__(_):\n    raise AttributeError",
    "what every module has": "from shop.costly import __doc__",
    "all that there is": "from shop.costly import *",
    "an import in a condition": "if True:\n    from shop.costly import thing",
}


@pytest.mark.parametrize("why", sorted(STAYS))
def test_an_import_stays_that_the_module_itself_needs(shop: Workshop, why: str) -> None:
    assert shop.rewritten(STAYS[why]) == STAYS[why].replace("shop", shop.name)
    shop.made(STAYS[why])
    assert shop.is_costly


def test_an_annotation_that_is_only_text_needs_nothing(shop: Workshop) -> None:
    shop.made("from __future__ import annotations\nfrom shop.costly import Fault\ndef get(it: Fault) -> None: ...")
    assert not shop.is_costly


def test_what_does_not_wait_is_imported_as_before(shop: Workshop) -> None:
    source = "from shop import costly, __doc__ as other\nimport os\ndef get():\n    return costly.thing, os.sep"
    module = shop.made(source)
    assert {"other", "os"} <= vars(module).keys()
    assert not shop.is_costly
    assert module.get()[0] == "a thing"
