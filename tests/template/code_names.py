"""The log codes, metrics and environment variables that source code uses, read from its syntax tree."""

import ast
import re
from collections.abc import Iterator, Sequence

_LOG_METHODS = {"debug", "info", "warning", "error", "exception", "critical"}
_LOGGER = re.compile(r"(\w+\.)*_?log(ger\(\))?")


def log_codes(*sources: str) -> set[str]:
    """The messages that the modules log. A code may be a literal, a conditional of literals, or an argument of a function.

    Raises ValueError for a message whose values cannot be determined, so that none is overlooked.
    """
    modules = [ast.parse(source) for source in sources]
    return {code for module in modules for code in _log_codes(module, modules)}


def _log_codes(module: ast.Module, modules: Sequence[ast.Module]) -> set[str]:
    """Those of `module`; the others may call its functions."""
    scope = [module, *(other for other in modules if other is not module)]
    calls = [
        (call, function)
        for call, function in _calls(module)
        if isinstance(call.func, ast.Attribute)
        and call.func.attr in _LOG_METHODS
        and _LOGGER.fullmatch(ast.unparse(call.func.value))
    ]
    return {code for call, function in calls for code in _values(call.args[0], function, scope)}


def metrics(source: str) -> set[str]:
    """The names of the metrics in the module that sends them: the keys of its dictionaries, conditional ones included."""
    keys = [key for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Dict) for key in node.keys]
    return {name for key in keys if key is not None for name in _literals(key)}


def environment_variables(source: str) -> set[str]:
    """The variables that the module reads: upper-case aliases of a model's fields, and keys of `os.environ`."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.keyword(arg="alias", value=ast.Constant(value=str(name))) if name.isupper():
                names.add(name)
            case (
                ast.Subscript(value=mapping, slice=ast.Constant(value=str(name)))
                | ast.Call(func=ast.Attribute(value=mapping, attr="get"), args=[ast.Constant(value=str(name)), *_])
            ) if ast.unparse(mapping) == "os.environ":
                names.add(name)
    return names


def _calls(module: ast.Module) -> Iterator[tuple[ast.Call, ast.FunctionDef | None]]:
    """Every call, with the innermost function around it."""

    def visit(node: ast.AST, function: ast.FunctionDef | None) -> Iterator[tuple[ast.Call, ast.FunctionDef | None]]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Call):
                yield child, function
            yield from visit(child, child if isinstance(child, ast.FunctionDef) else function)

    return visit(module, None)


def _values(
    expression: ast.expr,
    function: ast.FunctionDef | None,
    scope: Sequence[ast.Module],
    resolved: frozenset[tuple[str, int]] = frozenset(),
) -> set[str]:
    """The strings that `expression`, in `function`, may be. `scope` has the function's module first.

    `resolved` has the parameters that are being resolved already.
    """
    if literals := _literals(expression):
        return literals
    if isinstance(expression, ast.Name) and function is not None:
        assigned = [
            node.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == expression.id
        ]
        if assigned:
            return {code for value in assigned for code in _values(value, function, scope, resolved)}
        parameters = [argument.arg for argument in function.args.args]
        if expression.id in parameters:
            return _arguments((function.name, parameters.index(expression.id)), scope, resolved)
    raise ValueError(f"line {expression.lineno}: the log code {ast.unparse(expression)} cannot be determined")


def _arguments(parameter: tuple[str, int], scope: Sequence[ast.Module], resolved: frozenset[tuple[str, int]]) -> set[str]:
    """What is passed for a parameter (the name of its function, its position): by its module, and by others if it is public."""
    if parameter in resolved:
        return set()  # the function calls itself
    name, position = parameter
    callers = scope[:1] if name.startswith("_") else scope
    calls = [
        (call, function, module)
        for module in callers
        for call, function in _calls(module)
        if ast.unparse(call.func).rpartition(".")[2] == name
    ]
    return {
        code
        for call, function, module in calls
        for code in _values(call.args[position], function, [module, *scope], resolved | {parameter})
    }


def _literals(expression: ast.expr) -> set[str]:
    match expression:
        case ast.Constant(value=str(text)):
            return {text}
        case ast.IfExp(body=body, orelse=orelse):
            return _literals(body) | _literals(orelse)
    return set()
