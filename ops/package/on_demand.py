"""Imports on demand: what a module imports only for its functions, or for others to find there, is imported when such a
function runs, or when somebody asks the module for the name. It is what `lazy import` (PEP 810) will do in Python 3.15.

Done to the packages' sources before they are compiled, for the imports that no start needs.
"""

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

Function = ast.FunctionDef | ast.AsyncFunctionDef
Import = ast.Import | ast.ImportFrom

# PEP 562
_FOR_OTHERS = """

def __getattr__(name):
    if name not in _ON_DEMAND:
        raise AttributeError(f"module {{__name__!r}} has no attribute {{name!r}}")
    exec(_ON_DEMAND[name], globals())
    return globals()[name]


_ON_DEMAND = {imports!r}
"""


@dataclass(frozen=True)
class Imported:
    """What one import gives: `name` of `module`, or all of `module` where there is no name; and what it is called here."""

    module: str
    name: str | None
    bound: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}" if self.name else self.module


def on_demand(source: str, package: str, waits: Callable[[Imported], bool]) -> str:
    """`source`, of a module in `package`, with the imports on demand for which `waits` holds; unchanged if there is none.

    An import stays where it is if the module needs it to be imported itself (for a base class, a decorator, a default), if the
    name means something else anywhere, or if the module answers for its names already.
    """
    tree = ast.parse(source)
    stays = {*_names_used_at_once(tree), *(name for name, times in Counter(_names_given(tree)).items() if times > 1)}
    moved: dict[str, str] = {}
    for statement in [one for one in tree.body if isinstance(one, Import)]:
        for alias in [*statement.names]:
            one = _imported(statement, alias, package)
            # every module has a __doc__: nobody would have to ask for it
            if one.bound not in stays and not one.bound.startswith(("__", "*")) and waits(one):
                moved[one.bound] = ast.unparse(_alone(statement, alias))
                statement.names.remove(alias)
    if not moved or any(isinstance(one, Function) and one.name == "__getattr__" for one in tree.body):
        return source
    tree.body = [one for one in tree.body if not isinstance(one, Import) or one.names]
    for function in _outermost_functions(tree):
        for name, imported in moved.items():
            function.body = _imported_before_use(function.body, name, imported)
    return ast.unparse(tree) + _FOR_OTHERS.format(imports=moved)


def _imported(statement: Import, alias: ast.alias, package: str) -> Imported:
    bound = alias.asname or alias.name.partition(".")[0]
    if isinstance(statement, ast.Import):
        return Imported(alias.name, None, bound)
    above = package.split(".")[: len(package.split(".")) - statement.level + 1] if statement.level else []
    return Imported(".".join([*above, *([statement.module] if statement.module else [])]), alias.name, bound)


def _alone(statement: Import, alias: ast.alias) -> Import:
    if isinstance(statement, ast.Import):
        return ast.Import([alias])
    return ast.ImportFrom(statement.module, [alias], statement.level)


def _imported_before_use(block: list[ast.stmt], name: str, imported: str) -> list[ast.stmt]:
    """`block` with the import as late as can be: branches that do without the name do not make it."""
    made: list[ast.stmt] = []
    bound = False
    for statement in block:
        if not bound and _mentions(statement, name):
            within = _blocks(statement)
            if any(_mentions(one, name) for one in ast.iter_child_nodes(statement) if not _is_within(one, within)):
                made += ast.parse(imported).body
                bound = True
            else:
                for inner in within:
                    inner[:] = _imported_before_use(inner, name, imported)
        made.append(statement)
    return made


def _mentions(node: ast.AST, name: str) -> bool:
    return any(isinstance(one, ast.Name) and one.id == name for one in ast.walk(node))


def _blocks(statement: ast.stmt) -> list[list[ast.stmt]]:
    """The blocks of an `if`, a loop, a `with`, a `try`, a function in a function; a class's is made part of it at once."""
    if isinstance(statement, ast.ClassDef):
        return []
    blocks = [getattr(statement, field, []) for field in ("body", "orelse", "finalbody")]
    return [block for block in blocks if block]


def _is_within(node: ast.AST, blocks: list[list[ast.stmt]]) -> bool:
    return any(node is one for block in blocks for one in block)


def _outermost_functions(node: ast.AST) -> Iterator[Function]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function):
            yield child
        elif not isinstance(child, ast.Lambda):
            yield from _outermost_functions(child)


def _names_used_at_once(tree: ast.Module) -> Iterator[str]:
    """The names that are looked up while the module is imported."""
    told_by_text = any(isinstance(one, ast.ImportFrom) and one.module == "__future__" for one in tree.body)
    ahead: list[ast.AST] = [tree]
    while ahead:
        node = ahead.pop()
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield node.id
        if isinstance(node, Function):
            annotations = [node.returns, *(one.annotation for one in ast.walk(node.args) if isinstance(one, ast.arg))]
            ahead += [*node.decorator_list, *node.args.defaults, *(one for one in node.args.kw_defaults if one)]
            ahead += [] if told_by_text else [one for one in annotations if one]
        else:
            ahead += ast.iter_child_nodes(node)


def _names_given(tree: ast.Module) -> Iterator[str]:
    """Every name that is given to something anywhere, as often as it is."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name
            case ast.Global(names=names) | ast.Nonlocal(names=names):
                yield from names
            case ast.alias(name=name, asname=None):
                yield name.partition(".")[0]
            case ast.alias(asname=str(name)):
                yield name
            case _:
                pass
