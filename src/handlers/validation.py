"""Pydantic's validation errors in the words of this API: each names a field by JSON Pointer and says what it must be."""

from collections.abc import Sequence
from typing import Any

from core.errors import FieldError

_MESSAGES = {
    "missing": "is required",
    "extra_forbidden": "is not a field of this request",
    "model_attributes_type": "must be a JSON object",
    "model_type": "must be a JSON object",
}
# How pydantic begins a message, and how this API does: `errors[].detail` continues the name of its field.
_OPENINGS = (("Value error, ", ""), ("Input should ", "must "), ("String should ", "must "))


def field_errors(errors: Sequence[Any]) -> list[FieldError]:
    """Pydantic's `errors` on an event's detail as FieldErrors."""
    return [FieldError(json_pointer(error["loc"]), message(error)) for error in errors]


def json_pointer(location: Sequence[str | int]) -> str:
    """RFC 6901, as a URI fragment."""
    return "#" + "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in location)


def message(error: Any) -> str:  # noqa: ANN401  pydantic's ErrorDetails, or a dict with the same members
    text = _MESSAGES.get(error["type"], str(error["msg"]))
    for opening, ours in _OPENINGS:
        if text.startswith(opening):
            return ours + text.removeprefix(opening)
    return text
