"""What modules compile while they are imported, found compiled ahead: what .pyc does for their sources, for texts they write.

`dataclasses`, `namedtuple` and `typing` write Python and compile it at each start, and `re` compiles patterns: a quarter of all
work that a start is. The package has the outcome in a file of ops/package/ahead.py. Without that file, or where another Python
made it, everything is compiled as ever, and so is any text that the file does not know.
"""

import collections
import marshal
import re
import sys
import typing
from collections.abc import Mapping
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, NamedTuple

FILE = Path(__file__).resolve().parent.parent / "compiled-ahead"
Pattern = tuple[str | bytes, int]


class Compiled(NamedTuple):
    """Text to code, for `exec` and for `eval`; pattern and flags to the arguments of `_sre.compile`."""

    executed: Mapping[str, CodeType]
    evaluated: Mapping[str, CodeType]
    patterns: Mapping[Pattern, tuple[Any, ...]]


def made_by() -> bytes:
    """Whose code and patterns these are: no other Python can use them."""
    magic = getattr(getattr(re, "_compiler", None), "MAGIC", None)
    return f"{sys.implementation.cache_tag} {magic}\n".encode()


def read(file: Path) -> Compiled | None:
    """What `file` holds, if this Python made it, and all of it is there."""
    try:
        content = file.read_bytes()
        mine = made_by()
        return Compiled(*marshal.loads(content[len(mine) :])) if content.startswith(mine) else None  # noqa: S302  our own file
    except (OSError, EOFError, ValueError, TypeError):
        return None


def begin(compiled: Compiled) -> None:
    """From now on, until `end`, look there first."""
    _instead(re._compiler, "compile", _pattern_compiler(re._compiler, compiled.patterns))  # type: ignore[attr-defined]  # noqa: SLF001
    import dataclasses  # noqa: PLC0415  what it imports has patterns, too

    executed, evaluated = compiled.executed, compiled.evaluated
    _instead(dataclasses, "exec", lambda text, *spaces: exec(executed.get(text, text), *spaces))  # noqa: S102  dataclasses' own text
    _instead(collections, "eval", lambda text, *spaces: eval(evaluated.get(text, text), *spaces))  # noqa: S307  namedtuple's
    _instead(typing, "compile", lambda text, *how: evaluated.get(text) or compile(text, *how))


def end() -> None:
    while _stood_there:
        module, name, before = _stood_there.pop()
        if before is None:
            del vars(module)[name]
        else:
            vars(module)[name] = before


_stood_there: list[tuple[ModuleType, str, Any]] = []


def _instead(module: ModuleType, name: str, ours: Any) -> None:  # noqa: ANN401  a function
    """Let `module` find `ours` by that name, which is its own or a builtin's."""
    _stood_there.append((module, name, vars(module).get(name)))
    vars(module)[name] = ours


def _pattern_compiler(compiler: Any, known: Mapping[Pattern, tuple[Any, ...]]) -> Any:  # noqa: ANN401  re's own
    usual, made = compiler.compile, compiler._sre.compile  # noqa: SLF001

    def compile_pattern(pattern: Any, flags: int = 0) -> Any:  # noqa: ANN401  re's own
        arguments = known.get((pattern, flags))
        return usual(pattern, flags) if arguments is None else made(*arguments)

    return compile_pattern
