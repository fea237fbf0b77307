"""What the label API reads of a request: the token, If-Match, and bodies."""

import binascii
import json
from base64 import b64decode
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from core.errors import InvalidRequest, LoopError
from handlers.rest.headers import IF_MATCH, header
from handlers.validation import field_errors

MAX_JSON_BYTES = 65_536
MAX_FILE_BYTES = 5 * 1024 * 1024  # Lambda takes 6 MB of an event, in which the body is base64
_SCHEME = "bearer "
Body = TypeVar("Body", bound=BaseModel)


class IfMatchMissing(LoopError):
    """The request changes answers without naming which."""


class MalformedBody(LoopError):
    """The body is not JSON."""


class BodyTooLarge(LoopError):
    """The body is longer than any valid one."""


class AnswersBody(BaseModel):
    """The answers by row, and whether they correct labels that were imported before."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    answers: dict[str, Any] = Field(description="Row, from 0 -> a group from 1 to 50, `alone` or `unsure`.")
    correct: bool = False


class SubmissionBody(BaseModel):
    """Whether the labels correct those that were imported before."""

    model_config = ConfigDict(extra="forbid", strict=True, defer_build=True)

    correct: bool = False


def bearer_token(event: dict[str, Any]) -> str:
    """The token of the Authorization header; empty if there is none."""
    sent = header(event, "Authorization") or ""
    return sent[len(_SCHEME) :].strip() if sent[: len(_SCHEME)].lower() == _SCHEME else ""


def if_match(event: dict[str, Any]) -> str:
    """The revision in If-Match, of which one entity tag is expected. Raises IfMatchMissing."""
    sent = (header(event, IF_MATCH) or "").strip()
    if not sent:
        raise IfMatchMissing
    return sent.removeprefix("W/").strip('"')


def body_bytes(event: dict[str, Any], limit: int) -> bytes:
    """The body as it was sent. Raises BodyTooLarge, MalformedBody."""
    text = event.get("body") or ""
    try:
        body = b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode()
    except binascii.Error as error:
        raise MalformedBody from error
    if len(body) > limit:
        raise BodyTooLarge
    return body


def answers_body(event: dict[str, Any]) -> AnswersBody:
    """Raises BodyTooLarge, MalformedBody, InvalidRequest."""
    return _parsed(event, AnswersBody)


def submission_body(event: dict[str, Any]) -> SubmissionBody:
    """Raises BodyTooLarge, MalformedBody, InvalidRequest."""
    return _parsed(event, SubmissionBody)


def _parsed(event: dict[str, Any], model: type[Body]) -> Body:
    body = body_bytes(event, MAX_JSON_BYTES)
    try:
        document = json.loads(body or b"{}")
    except (ValueError, RecursionError) as error:
        raise MalformedBody from error
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise InvalidRequest(*field_errors(error.errors())) from error
