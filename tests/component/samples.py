"""The samples in events/, and where each of them goes."""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "events"
FUNCTIONS = {"api": "ApiFunction", "bus": "BusFunction", "schedule": "ScheduleFunction", "stream": "AnnounceFunction"}

TRANSFORM = "tfm-0123456789abcdef0123456789abcdef01234567"
BUCKET = "label-loop-data"
ACCOUNT = "123456789012"


def names(door: str = "") -> list[str]:
    return sorted(path.stem for path in FOLDER.glob(f"{door}*.json"))


def sample(name: str) -> dict[str, Any]:
    """A fresh copy of a sample, to be changed at will."""
    event: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    return event


def rest_sample(
    name: str,
    *,
    key: str | None = None,
    body: object = None,
    query: dict[str, str] | None = None,
    path: str | None = None,
    role: str | None = None,
) -> dict[str, Any]:
    """A REST sample with some of it replaced; `body` as it is if text, else as JSON."""
    event = sample(name)
    if key is not None:
        set_header(event, "Idempotency-Key", key)
    if body is not None:
        event["body"] = body if isinstance(body, str) else json.dumps(body)
    if query is not None:
        event["queryStringParameters"] = query
        event["multiValueQueryStringParameters"] = {one: [value] for one, value in query.items()}
    if path is not None:
        event["path"] = path
    if role is not None:
        event["requestContext"]["identity"]["userArn"] = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/session"
    return event


def set_header(event: dict[str, Any], name: str, value: str | None) -> None:
    """Put a header in, or (None) take it out, in both forms that API Gateway sends, whatever its case was."""
    for form in ("headers", "multiValueHeaders"):
        kept = {one: was for one, was in event[form].items() if one.lower() != name.lower()}
        new = {} if value is None else {name: value if form == "headers" else [value]}
        event[form] = kept | new
