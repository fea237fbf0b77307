"""Compares botocore models: everything that botocore reads of an operation or a shape, written out."""

import json
from typing import Any

from botocore.loaders import Loader
from botocore.model import ServiceModel

from tests.contract.slim_models import FULL


def values(loader: Loader) -> dict[str, Any]:
    shape: Any = model(loader, "dynamodb").shape_for("AttributeValue")
    return dict(shape.members)


def types_in(node: Any) -> set[str]:  # noqa: ANN401  any of botocore's arguments
    """The DynamoDB types of all values in `node`, at any depth."""
    if isinstance(node, list):
        return {name for child in node for name in types_in(child)}
    if not isinstance(node, dict):
        return set()
    types = set(values(FULL))
    own = set(node) if len(node) == 1 and set(node) <= types else set()
    return own | {name for child in node.values() for name in types_in(child)}


def model(loader: Loader, service: str) -> ServiceModel:
    return ServiceModel(loader.load_service_model(service, "service-2"), service)


def described(operation: Any) -> dict[str, Any]:  # noqa: ANN401  the stubs leave out half of what a model has
    """Everything that botocore reads of an operation, with its shapes, but no documentation."""
    raw = {name: value for name, value in operation._operation_model.items() if name != "documentation"}  # noqa: SLF001  all of it
    return {
        "model": json.loads(json.dumps(raw, default=str), object_hook=_undocumented),
        "input": shape_of(operation.input_shape),
        "output": shape_of(operation.output_shape),
        "errors": [shape_of(shape) for shape in operation.error_shapes],
        "checksum": operation.http_checksum,
        "auth": operation.auth_type,
        "paging": operation.idempotent_members,
        "context": operation.operation_context_parameters,
    }


def _undocumented(node: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in node.items() if not (name == "documentation" and isinstance(value, str))}


def shape_of(shape: Any, within: tuple[str, ...] = ()) -> Any:  # noqa: ANN401  see above
    if shape is None or shape.name in within:  # recursive: AttributeValue
        return shape and shape.name
    inside = (*within, shape.name)
    description: dict[str, Any] = {
        "name": shape.name,
        "type": shape.type_name,
        "how": shape.serialization,
        "what": shape.metadata,
    }
    if shape.name == "AttributeValue":
        return description  # the types of a value: see test_attribute_value_keeps_only_the_types_of_the_ledger
    if shape.type_name == "structure":
        description["members"] = {name: shape_of(member, inside) for name, member in shape.members.items()}
    elif shape.type_name == "list":
        description["member"] = shape_of(shape.member, inside)
    elif shape.type_name == "map":
        description |= {"key": shape_of(shape.key, inside), "value": shape_of(shape.value, inside)}
    return description
