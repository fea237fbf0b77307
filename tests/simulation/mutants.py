"""Mutants of the service: each negates a branch, drops a part of a condition, or takes a handler of an error away.

DeMillo, Lipton and Sayward, "Hints on Test Data Selection", 1978.
"""

import ast
from collections.abc import Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from typing import NamedTuple

SRC = Path(__file__).parents[2] / "src"
# By module: the functions that are mutated; all of them if none is named.
TARGETS: dict[str, Sequence[str]] = {
    "core.start": (),
    "core.start_in_glue": (),
    "core.settle": (),
    "core.start_queued": (),
    "core.aws.ledger": (
        "write",
        "record_progress",
        "delete",
        "_update_once",
        "_write_once",
        "_raise_cancellation",
        "_has_open_exclusive",
        "_check_own_write",
        "_unchanged",
    ),
    "core.aws.queue_item": (),
    "core.aws.items": ("to_update",),
}
_ALWAYS_TRUE = "(attribute_exists(id) OR attribute_not_exists(id))"


class Mutant(NamedTuple):
    """`name` says where and what; `source` is the module's."""

    name: str
    module: str
    source: str


def mutants() -> Iterator[Mutant]:
    for module, functions in TARGETS.items():
        tree = ast.parse((SRC / f"{module.replace('.', '/')}.py").read_text())
        seen: dict[str, int] = {}
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef) and (not functions or function.name in functions):
                for description, mutated in _mutations(tree, function):
                    name = f"{module}.{function.name}: {description}"
                    seen[name] = seen.get(name, 0) + 1
                    yield Mutant(name if seen[name] == 1 else f"{name} ({seen[name]})", module, ast.unparse(mutated))


def _mutations(tree: ast.Module, function: ast.FunctionDef) -> Iterator[tuple[str, ast.Module]]:
    for node in ast.walk(function):
        for description, replacement in _replacements(node):
            yield description, _replaced(tree, node, replacement)


def _replacements(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """What `node` may be replaced by, and what that means in words."""
    match node:
        case ast.If() | ast.IfExp():
            replacement = deepcopy(node)
            replacement.test = ast.UnaryOp(ast.Not(), node.test)
            yield f"negate `{ast.unparse(node.test)}`", replacement
        case ast.comprehension(ifs=[_, *_]):
            for number, test in enumerate(node.ifs):
                comprehension = deepcopy(node)
                comprehension.ifs[number] = ast.Constant(value=True)
                yield f"drop `if {ast.unparse(test)}`", comprehension
        case ast.BoolOp():
            for number, operand in enumerate(node.values):
                rest = [value for position, value in enumerate(node.values) if position != number]
                without = rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
                yield f"drop `{ast.unparse(operand)}` of `{ast.unparse(node)}`", without
        case ast.ExceptHandler():
            handler = deepcopy(node)
            handler.body = [ast.Raise()]
            yield f"let `{ast.unparse(node.type) if node.type else 'every error'}` pass", handler
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id="conditions"), attr="append"))):
            yield f"drop `{ast.unparse(node)}`", ast.Pass()
        case ast.Dict():
            yield from _condition_replacements(node)


def _condition_replacements(node: ast.Dict) -> Iterator[tuple[str, ast.AST]]:
    """Without each part of a literal ConditionExpression."""
    for number, (key, value) in enumerate(zip(node.keys, node.values, strict=True)):
        if isinstance(key, ast.Constant) and key.value == "ConditionExpression" and isinstance(value, ast.Constant):
            for part in str(value.value).split(" AND "):
                weaker = deepcopy(node)
                weaker.values[number] = ast.Constant(str(value.value).replace(part, _ALWAYS_TRUE))
                yield f"drop the condition `{part}`", weaker


def _replaced(tree: ast.Module, node: ast.AST, replacement: ast.AST) -> ast.Module:
    """A copy of `tree` in which `replacement` stands for `node`."""
    position = next(number for number, candidate in enumerate(ast.walk(tree)) if candidate is node)
    copy = deepcopy(tree)
    target = next(candidate for number, candidate in enumerate(ast.walk(copy)) if number == position)

    class Replace(ast.NodeTransformer):
        def visit(self, visited: ast.AST) -> ast.AST:
            return replacement if visited is target else self.generic_visit(visited)

    Replace().visit(copy)  # in place, but for the module itself, which is no target
    ast.fix_missing_locations(copy)
    return copy
