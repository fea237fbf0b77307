"""Packages' fronts that only name what their modules have, made to import each when it is asked for.

Powertools' fronts bring in a resolver for every kind of caller and a class for every kind of event; we use two of them.
"""

import ast
from pathlib import Path

# PEP 562
_ON_DEMAND = """

def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError(f"module {{__name__!r}} has no attribute {{name!r}}")
    import importlib
    found = getattr(importlib.import_module(_HOMES[name][0]), _HOMES[name][1])
    globals()[name] = found
    return found


_HOMES = {homes!r}
"""


def on_demand(front: Path, package: str) -> str | None:
    """The source of `front` (the __init__.py of `package`) with its imports on demand; None if it does anything besides.

    A name that is also a module's is imported at once, as before: else the module would come to stand in its place.
    """
    stays: list[ast.stmt] = []
    homes: dict[str, tuple[str, str]] = {}
    for statement in ast.parse(front.read_text(encoding="utf-8")).body:
        if isinstance(statement, ast.ImportFrom) and statement.module and statement.level <= 1:
            if statement.module == "__future__" or any(_is_module(front, one) for one in statement.names):
                stays.append(statement)
            else:
                module = f"{package}.{statement.module}" if statement.level else statement.module
                homes |= {one.asname or one.name: (module, one.name) for one in statement.names}
        elif _only_tells(statement):
            stays.append(statement)
        else:
            return None
    if "*" in homes or not any(module.startswith(f"{package}.") for module, _ in homes.values()):
        return None
    return ast.unparse(ast.Module(stays, [])) + _ON_DEMAND.format(homes=homes)


def _is_module(front: Path, named: ast.alias) -> bool:
    path = front.parent / (named.asname or named.name)
    return path.is_dir() or path.with_suffix(".py").exists()


def _only_tells(statement: ast.stmt) -> bool:
    """A docstring, or a list of names."""
    if isinstance(statement, ast.Assign):
        return [ast.unparse(target) for target in statement.targets] == ["__all__"]
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
