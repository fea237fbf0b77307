"""Which AWS operations the code can use: read from the code that calls them, so that nothing is listed twice."""

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

Model = Mapping[str, Any]


class NotUnderstood(Exception):
    """The code makes or uses a client in a way that cannot be read; the message says where."""


def services_of(sources: Iterable[Path]) -> set[str]:
    """The services that clients are made of. Raises NotUnderstood where one is not written out."""
    return {_service(call, source) for source in sources for call in _calls(source, "client")}


def named_in(sources: Iterable[Path]) -> set[str]:
    """Every attribute and every string: whatever operation the code can name is among them, as a method or for a paginator."""
    nodes = [node for source in sources for node in ast.walk(_tree(source))]
    attributes = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return attributes | {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def called_on_clients(sources: Iterable[Path]) -> set[str]:
    """What botocore's own code calls on a client: S3's redirects and sessions, say."""
    return {
        node.func.attr
        for source in sources
        for node in ast.walk(_tree(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is_client(node.func.value)
    }


def used_operations(model: Model, python_names: Mapping[str, str], names: set[str]) -> set[str]:
    """The operations of `model` that `names` can mean, and the one that tells where the service's endpoints are.

    `python_names` gives each operation's method name.
    """
    return {
        operation
        for operation, one in model["operations"].items()
        if python_names[operation] in names or one.get("endpointoperation")
    }


def _service(call: ast.Call, source: Path) -> str:
    named = call.args[0] if call.args else None
    if isinstance(named, ast.Constant) and isinstance(named.value, str):
        return named.value
    raise NotUnderstood(f"{source}:{call.lineno}: the client's service has to be written out")


def _calls(source: Path, name: str) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(_tree(source))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == name
    ]


def _is_client(node: ast.expr) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name.endswith("client")


def _tree(source: Path) -> ast.Module:
    return ast.parse(source.read_text(encoding="utf-8"), str(source))
