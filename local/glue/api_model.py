"""Validation of requests and responses against Glue's API model in botocore.

botocore's ParamValidator checks members, types and minima. Enumerations, maxima and patterns are in the model too, but
botocore leaves checking them to the service, so this module does.
"""

import math
import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, cast

from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.session import get_session
from botocore.utils import parse_timestamp
from botocore.validate import ParamValidator

from local.glue.errors import invalid_input, malformed

ML_OPERATIONS = (
    "CancelMLTaskRun",
    "CreateMLTransform",
    "DeleteMLTransform",
    "GetMLTaskRun",
    "GetMLTaskRuns",
    "GetMLTransform",
    "GetMLTransforms",
    "ListMLTransforms",
    "StartExportLabelsTaskRun",
    "StartImportLabelsTaskRun",
    "StartMLEvaluationTaskRun",
    "StartMLLabelingSetGenerationTaskRun",
    "UpdateMLTransform",
)
TARGET_PREFIX = "AWSGlue."

_PYTHON_TYPES: dict[str, type | tuple[type, ...]] = {
    "structure": dict,
    "map": dict,
    "list": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "long": int,
    "double": (int, float),
    "float": (int, float),
}


@cache
def service_model() -> ServiceModel:
    return get_session().get_service_model("glue")


def operation_model(operation: str) -> OperationModel:
    """Raises botocore's OperationNotFoundError for a name that is not in the model."""
    return service_model().operation_model(operation)


def parse_input(operation: str, document: object) -> dict[str, Any]:
    """The operation's parameters from its JSON body; timestamps as epoch seconds.

    As in AWS, unknown members are ignored and nulls count as absent. Raises GlueError: SerializationException for a
    value of the wrong JSON type, InvalidInputException for one that breaks the model's constraints.
    """
    shape = operation_model(operation).input_shape
    if shape is None:
        return {}
    parameters: dict[str, Any] = _parse(shape, document, "")
    report = ParamValidator().validate(parameters, shape)
    if report.has_errors():
        raise invalid_input(report.generate_report())
    problems = list(_broken_constraints(shape, parameters, ""))
    if problems:
        noun = "error" if len(problems) == 1 else "errors"
        raise invalid_input(f"{len(problems)} validation {noun} detected: {'; '.join(problems)}")
    return parameters


def check_output(operation: str, output: Mapping[str, Any]) -> dict[str, Any]:
    """The response, if it conforms to the model. A ValueError is a bug of this service, never the caller's fault."""
    shape = operation_model(operation).output_shape
    if shape is None:
        return {}
    report = ParamValidator().validate(dict(output), shape)
    problems = [report.generate_report()] if report.has_errors() else list(_broken_constraints(shape, output, ""))
    if problems:
        raise ValueError(f"The response of {operation} is outside its model: {'; '.join(problems)}")
    return dict(output)


def _parse(shape: Shape, value: Any, path: str) -> Any:  # noqa: ANN401 - JSON in, parameters out: both are any shape
    if shape.type_name == "timestamp":
        return _timestamp(value, path)
    if not _is_of_type(shape, value):
        raise malformed(f"{path or 'The request'} must be of type {shape.type_name}.")
    if isinstance(shape, StructureShape):
        return {
            name: _parse(member, value[name], f"{path}.{name}".lstrip("."))
            for name, member in shape.members.items()
            if value.get(name) is not None
        }
    if isinstance(shape, ListShape):
        return [_parse(shape.member, item, f"{path}[{number}]") for number, item in enumerate(value)]
    if isinstance(shape, MapShape):
        return {key: _parse(shape.value, item, f"{path}.{key}") for key, item in value.items()}
    return value


def _is_of_type(shape: Shape, value: object) -> bool:
    # In Python a bool is an int; in JSON it is not.
    return isinstance(value, _PYTHON_TYPES[shape.type_name]) and isinstance(value, bool) == (shape.type_name == "boolean")


def _timestamp(value: Any, path: str) -> float:  # noqa: ANN401 - any JSON value may be sent for a time
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise malformed(f"{path} must be of type timestamp.")
    try:
        return float(parse_timestamp(cast("str", value)).timestamp())  # takes numbers too
    except (ValueError, OverflowError) as error:
        raise malformed(f"{path} must be of type timestamp.") from error


def _broken_constraints(shape: Shape, value: Any, path: str) -> Iterator[str]:  # noqa: ANN401 - walks any shape
    if isinstance(shape, StructureShape):
        for name, item in value.items():
            yield from _broken_constraints(shape.members[name], item, f"{path}.{name}".lstrip("."))
        return
    yield from _broken_bounds(shape, value, path)
    if isinstance(shape, ListShape):
        for number, item in enumerate(value):
            yield from _broken_constraints(shape.member, item, f"{path}[{number}]")
    elif isinstance(shape, MapShape):
        for key, item in value.items():
            yield from _broken_constraints(shape.key, key, f"{path}.{key}")
            yield from _broken_constraints(shape.value, item, f"{path}.{key}")


def _broken_bounds(shape: Shape, value: Any, path: str) -> Iterator[str]:  # noqa: ANN401 - a leaf of any type
    prefix = f"Value {value!r} at '{path}' failed to satisfy constraint: Member must"
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        yield f"{prefix} satisfy enum value set: [{', '.join(allowed)}]"
    if isinstance(value, float) and not math.isfinite(value):
        yield f"{prefix} be a number"
        return
    has_length = not isinstance(value, (int, float))
    measure = len(value) if has_length else value
    noun = "have length" if has_length else "have value"
    if shape.type_name not in ("timestamp", "boolean"):
        if "max" in shape.metadata and measure > shape.metadata["max"]:
            yield f"{prefix} {noun} less than or equal to {shape.metadata['max']}"
        if "min" in shape.metadata and measure < shape.metadata["min"]:
            yield f"{prefix} {noun} greater than or equal to {shape.metadata['min']}"
    pattern = shape.metadata.get("pattern")
    if pattern and isinstance(value, str) and not re.fullmatch(_python_pattern(pattern), value):
        yield f"{prefix} satisfy regular expression pattern: {pattern}"


def _python_pattern(pattern: str) -> str:
    """Java patterns write characters beyond U+FFFF as surrogate pairs, which Python's re does not support."""
    return pattern.replace(r"\uD800\uDC00-\uDBFF\uDFFF", r"\U00010000-\U0010FFFF")
