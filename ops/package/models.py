"""A botocore service model with some of its operations, and all that they and the service's errors are made of."""

from collections.abc import Collection, Iterable
from typing import Any

Json = dict[str, Any]


def slim_service(model: Json, operations: Iterable[str]) -> Json:
    """`model` with `operations` only: each as it was, with every shape that it reaches, and every error of the service.

    All errors stay, since a service may answer with one that its model does not promise for the operation.
    """
    kept = {name: one for name, one in model["operations"].items() if name in set(operations)}
    errors = {name for name, shape in model["shapes"].items() if shape.get("exception") or shape.get("error")}
    shapes = _reached(model["shapes"], {*_references(list(kept.values())), *errors})
    return model | {
        "operations": undocumented(kept),
        "shapes": undocumented({name: one for name, one in model["shapes"].items() if name in shapes}),
    }


def slim_values(model: Json, names: Collection[str]) -> Json:
    """`model` with those types of DynamoDB's values that `names` holds: `S` and `N`, say.

    Botocore looks for each of the ten at every attribute that it reads, a thirtieth of a replay's work.
    """
    value = model["shapes"].get("AttributeValue")
    if value is None:
        return model
    members = {kind: one for kind, one in value["members"].items() if kind in names}
    return model | {"shapes": model["shapes"] | {"AttributeValue": value | {"members": members}}}


def slim_paginators(paginators: Json, operations: Iterable[str]) -> Json:
    kept = set(operations)
    return paginators | {"pagination": {name: one for name, one in paginators["pagination"].items() if name in kept}}


def slim_waiters(waiters: Json, operations: Iterable[str]) -> Json:
    kept = set(operations)
    return waiters | {"waiters": {name: one for name, one in waiters["waiters"].items() if one["operation"] in kept}}


def slim_endpoints(endpoints: Json, prefixes: Iterable[str]) -> Json:
    """Botocore's table of partitions and regions with the services of `prefixes` only."""
    kept = set(prefixes)
    return endpoints | {
        "partitions": [
            partition | {"services": {name: one for name, one in partition["services"].items() if name in kept}}
            for partition in endpoints["partitions"]
        ]
    }


def undocumented(node: Any) -> Any:  # noqa: ANN401  any JSON
    """Without what is written for people; a member that is called "documentation" is no text, and stays.

    Not for all of a model: botocore wants the documentation of `clientContextParams`.
    """
    if isinstance(node, list):
        return [undocumented(one) for one in node]
    if isinstance(node, dict):
        return {name: undocumented(one) for name, one in node.items() if not (name == "documentation" and isinstance(one, str))}
    return node


def _reached(shapes: Json, first: set[str]) -> set[str]:
    reached: set[str] = set()
    ahead = set(first)
    while ahead:
        name = ahead.pop()
        reached.add(name)
        ahead |= set(_references(shapes[name])) - reached
    return reached


def _references(node: Any) -> list[str]:  # noqa: ANN401  any JSON
    """The shapes that `node` names, at any depth."""
    if isinstance(node, list):
        return [name for one in node for name in _references(one)]
    if not isinstance(node, dict):
        return []
    own = [node["shape"]] if isinstance(node.get("shape"), str) else []
    return own + [name for one in node.values() for name in _references(one)]
