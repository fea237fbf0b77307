"""Which AWS operations the code can call, read from its syntax trees, so that no list has to be kept."""

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

Model = Mapping[str, Any]


class UnreadableClient(Exception):
    """The code makes a client in a way that cannot be read; the message says where."""


def services_of(sources: Iterable[Path]) -> set[str]:
    """The services that the code makes clients of. Raises UnreadableClient where the name is not a literal."""
    return {_service(call, source) for source in sources for call in _client_calls(source)}


def names_in(sources: Iterable[Path]) -> set[str]:
    """Every attribute and every string: an operation that the code calls, or pages through, is among them."""
    nodes = [node for source in sources for node in ast.walk(_tree(source))]
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return attributes | {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def called_on_clients(sources: Iterable[Path]) -> set[str]:
    """What botocore's own code calls on a client: for S3's redirects and sessions, say."""
    return {
        node.func.attr
        for source in sources
        for node in ast.walk(_tree(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is_client(node.func.value)
    }


def used_operations(model: Model, python_names: Mapping[str, str], names: set[str]) -> set[str]:
    """The operations of `model` that are in `names`, and the one that discovers the service's endpoints.

    `python_names` gives each operation's method name.
    """
    return {
        name
        for name, operation in model["operations"].items()
        if python_names[name] in names or operation.get("endpointoperation")
    }


def _service(call: ast.Call, source: Path) -> str:
    argument = call.args[0] if call.args else None
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        return argument.value
    raise UnreadableClient(f"{source}:{call.lineno}: name the client's service as a literal")


def _client_calls(source: Path) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(_tree(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "client"
    ]


def _is_client(node: ast.expr) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name.endswith("client")


def _tree(source: Path) -> ast.Module:
    return ast.parse(source.read_text(encoding="utf-8"), str(source))
