"""Who sent a request or an event."""

import re
from typing import Any

_ROLE = re.compile(r"arn:([^:]+):iam::(\d+):role/(?:.+/)?([^/]+)")
_ASSUMED_ROLE = re.compile(r"(arn:[^:]+:sts::\d+:assumed-role/[^/]+)/.+")


def rest_caller(event: dict[str, Any]) -> str:
    """The identity behind a signed REST request, as an ARN.

    It leaves out a role's session name: a service that retries from another instance is the same caller.
    """
    identity = event.get("requestContext", {}).get("identity", {})
    arn = identity.get("userArn") or identity.get("caller") or identity.get("accountId") or "anonymous"
    match = _ASSUMED_ROLE.fullmatch(arn)
    return match[1] if match else str(arn)


def rest_session(event: dict[str, Any]) -> str | None:
    """The session name of the role that signed the request; None for other identities."""
    arn = event.get("requestContext", {}).get("identity", {}).get("userArn") or ""
    match = _ASSUMED_ROLE.fullmatch(arn)
    return arn.removeprefix(f"{match[1]}/") if match else None


def configured_caller(name: str) -> str:
    """The caller that an operator names in a setting: the ARN of a role stands for every session that assumes it."""
    match = _ROLE.fullmatch(name)
    return f"arn:{match[1]}:sts::{match[2]}:assumed-role/{match[3]}" if match else name


def event_caller(event: dict[str, Any]) -> str:
    """The account and source that put an event on the bus."""
    return f"events:{event.get('account', '')}:{event.get('source', '')}"


def upload_caller(bucket: str) -> str:
    """The bucket that a label file was uploaded to."""
    return f"s3:{bucket}"
