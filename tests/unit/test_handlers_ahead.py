"""What is compiled ahead is what would be compiled; it is used where it is known, and until a process has started."""

import collections
import dataclasses
import re
import typing
from pathlib import Path
from typing import Any

import pytest

from handlers import ahead
from handlers.ahead import Compiled, begin, end, made_by, read
from ops.package.ahead import compiled_ahead, what_re_makes_of
from tests.template.spared import ROOT, told_by

# Starts a function as Lambda would; prints how many texts it looked for, and which it did not find.
START = """
import json, sys
from pathlib import Path

class Counted(dict):
    def get(self, asked, usual=None):
        looked.append(asked)
        if asked not in self:
            missed.append(repr(asked))
        return super().get(asked, usual)

looked, missed = [], []
import handlers
from handlers import ahead
compiled = ahead.read(Path(json.load(sys.stdin)))
ahead.begin(ahead.Compiled(*map(Counted, compiled)))
import handlers.announce, handlers.api, handlers.bus, handlers.schedule
handlers.api.build_app()
ahead.end()
print(json.dumps([len(looked), missed]))
"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("package") / "compiled-ahead"
    made.write_bytes(compiled_ahead(made_by(), [ROOT / "src"]))
    return made


@pytest.fixture
def compiled(file: Path) -> Compiled:
    found = read(file)
    assert found is not None
    return found


def test_all_that_a_start_compiles_is_found(file: Path) -> None:
    looked, missed = told_by(START, str(file), packages=None, PYDANTIC_DISABLE_PLUGINS="__all__")
    assert looked > 200
    assert missed == []


def test_the_code_is_what_would_be_compiled(compiled: Compiled) -> None:
    assert len(compiled.executed) > 50
    assert len(compiled.evaluated) > 100
    assert all(code == compile(text, "<string>", "exec") for text, code in compiled.executed.items())
    assert all(code == compile(text, "<string>", "eval") for text, code in compiled.evaluated.items())


@pytest.mark.usefixtures("tried")
def test_the_patterns_are_what_re_would_make(compiled: Compiled) -> None:
    assert {type(pattern) for pattern, _ in compiled.patterns} == {str, bytes}
    wanted = {asked: _re_compiler().compile(*asked) for asked in compiled.patterns}
    begin(compiled)
    found = {asked: _re_compiler().compile(*asked) for asked in compiled.patterns}
    assert found == wanted
    assert all(found[asked].groupindex == one.groupindex for asked, one in wanted.items())


def test_two_files_of_the_same_are_the_same(file: Path) -> None:
    assert compiled_ahead(made_by(), [ROOT / "src"]) == file.read_bytes()


def test_a_file_of_another_python_or_half_a_file_is_left_alone(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "compiled-ahead"
    other.write_bytes(b"cpython-399 1\n" + file.read_bytes().partition(b"\n")[2])
    assert read(other) is None
    assert read(tmp_path / "none") is None
    other.write_bytes(file.read_bytes()[:-10])
    assert read(other) is None


def test_only_the_package_has_such_a_file() -> None:
    assert ahead.FILE == ROOT / "src" / "compiled-ahead"
    assert read(ahead.FILE) is None


def test_a_package_that_cannot_start_stops_the_build(tmp_path: Path) -> None:
    (tmp_path / "handlers").mkdir()
    (tmp_path / "handlers" / "__init__.py").write_text("raise RuntimeError('broken')")
    with pytest.raises(SystemExit, match=r"the functions cannot start:[^$]*RuntimeError: broken"):
        compiled_ahead(made_by(), [tmp_path])


# --- while a process starts


@pytest.fixture
def tried() -> typing.Iterator[None]:
    """Nothing is left in the way of other tests."""
    yield
    end()


def _re_compiler() -> Any:  # noqa: ANN401  re's own
    return re._compiler  # type: ignore[attr-defined]  # noqa: SLF001


def _seen() -> list[object]:
    modules = (dataclasses, collections, typing)
    return [_re_compiler().compile, *(vars(one).get(name) for one in modules for name in ("exec", "eval", "compile"))]


@pytest.mark.usefixtures("tried")
def test_what_is_known_is_used() -> None:
    planted = compile("'planted'", "<string>", "eval")
    pattern = (r"known-\d", 0)
    begin(Compiled({}, {"int": planted}, {pattern: what_re_makes_of(r"planted-\d", 0)}))
    assert re.compile(pattern[0]).pattern == r"planted-\d"
    assert typing.ForwardRef("int").__forward_code__ is planted


@pytest.mark.usefixtures("tried")
def test_what_is_not_known_is_compiled_as_ever() -> None:
    begin(Compiled({}, {}, {}))

    @dataclasses.dataclass(frozen=True, slots=True)
    class Point:
        x: int
        y: int = 2

    assert (Point(1), hash(Point(1))) == (Point(1, 2), hash(Point(1, 2)))
    pair: Any = collections.namedtuple("pair", "a b")  # noqa: PYI024  it is what is tried
    assert pair(1, b=2) == (1, 2)
    assert typing.get_type_hints(_hinted)["return"] is int
    assert re.compile(r"unheard-of (\d+)").fullmatch("unheard-of 12")
    with pytest.raises(SyntaxError):
        typing.ForwardRef("no type")


@pytest.mark.usefixtures("tried")
def test_dataclasses_ask_for_their_code() -> None:
    texts: list[str] = []
    begin(Compiled(_Telling(texts), {}, {}))

    @dataclasses.dataclass
    class Point:
        x: int

    assert any("self.x" in text for text in texts)
    assert Point(1).x == 1


def test_it_is_over_when_it_is_over() -> None:
    before = _seen()
    begin(Compiled({}, {}, {}))
    assert _seen() != before
    end()
    assert _seen() == before
    end()
    assert _seen() == before


class _Telling(dict[str, Any]):
    """Knows nothing, and remembers what it was asked."""

    def __init__(self, told: list[str]) -> None:
        super().__init__()
        self.told = told

    def get(self, text: str, usual: Any = None) -> Any:  # noqa: ANN401  as dict's
        self.told.append(text)
        return usual


def _hinted() -> "int":
    return 1
