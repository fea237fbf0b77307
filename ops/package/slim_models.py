"""A botocore service model reduced to some of its operations, with all shapes and errors that these need."""

from collections.abc import Collection, Iterable
from typing import Any

Json = dict[str, Any]


def slim_service(model: Json, operations: Iterable[str]) -> Json:
    """`model` with `operations` only: each unchanged, with every shape that it refers to, and every error of the service.

    All errors stay, since a service may return one that its model does not list for the operation.
    """
    kept = _only(model["operations"], operations)
    errors = {name for name, shape in model["shapes"].items() if shape.get("exception") or shape.get("error")}
    shapes = _reachable(model["shapes"], {*_references(list(kept.values())), *errors})
    return model | {"operations": undocumented(kept), "shapes": undocumented(_only(model["shapes"], shapes))}


def slim_values(model: Json, names: Collection[str]) -> Json:
    """`model` with only those types of DynamoDB's attribute values that are in `names`: `S` and `N`, say.

    botocore looks for each of the ten types in every attribute that it reads: 3 % of a replay's instructions.
    """
    value = model["shapes"].get("AttributeValue")
    if value is None:
        return model
    return model | {"shapes": model["shapes"] | {"AttributeValue": value | {"members": _only(value["members"], names)}}}


def slim_paginators(paginators: Json, operations: Iterable[str]) -> Json:
    return paginators | {"pagination": _only(paginators["pagination"], operations)}


def slim_waiters(waiters: Json, operations: Iterable[str]) -> Json:
    kept = set(operations)
    return waiters | {"waiters": {name: waiter for name, waiter in waiters["waiters"].items() if waiter["operation"] in kept}}


def slim_endpoints(endpoints: Json, prefixes: Iterable[str]) -> Json:
    """Botocore's table of partitions and regions, with the services of `prefixes` only."""
    kept = set(prefixes)
    return endpoints | {
        "partitions": [partition | {"services": _only(partition["services"], kept)} for partition in endpoints["partitions"]]
    }


def undocumented(node: Any) -> Any:  # noqa: ANN401  any JSON
    """`node` without documentation texts; a member that is named "documentation" is not a text, and stays.

    Not for a whole model: botocore requires the documentation of `clientContextParams`.
    """
    if isinstance(node, list):
        return [undocumented(item) for item in node]
    if isinstance(node, dict):
        return {
            name: undocumented(value)
            for name, value in node.items()
            if not (name == "documentation" and isinstance(value, str))
        }
    return node


def _only(members: Json, names: Iterable[str]) -> Json:
    """In the model's own order."""
    kept = set(names)
    return {name: member for name, member in members.items() if name in kept}


def _reachable(shapes: Json, start: set[str]) -> set[str]:
    reached: set[str] = set()
    pending = set(start)
    while pending:
        name = pending.pop()
        reached.add(name)
        pending |= set(_references(shapes[name])) - reached
    return reached


def _references(node: Any) -> list[str]:  # noqa: ANN401  any JSON
    """The names of shapes in `node`, at any depth."""
    if isinstance(node, list):
        return [name for item in node for name in _references(item)]
    if not isinstance(node, dict):
        return []
    own = [node["shape"]] if isinstance(node.get("shape"), str) else []
    return own + [name for value in node.values() for name in _references(value)]
