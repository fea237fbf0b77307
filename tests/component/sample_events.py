"""The sample events in events/, and the function that receives each of them."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from handlers.rest.headers import IDEMPOTENCY_KEY
from handlers.rest.routes import task_run_path

FOLDER = Path(__file__).parents[2] / "events"
FUNCTIONS = {"api": "ApiFunction", "bus": "BusFunction", "schedule": "ScheduleFunction", "stream": "AnnounceFunction"}

TRANSFORM = "tfm-0123456789abcdef0123456789abcdef01234567"
BUCKET = "label-loop-data"
ACCOUNT = "123456789012"
# Of the files that `make sam-cloud` puts where the upload samples say: the label files, and Excel's lock file.
SAMPLE_ETAGS = ("08a720e0e8c13ca73e02a829cbda254b", "e7f1db20117112d6bdbc54bf38221e50")


def names(prefix: str = "") -> list[str]:
    """The names of the samples for one entry point (`api`, `bus`, `schedule`, `stream`), or of all."""
    return sorted(path.stem for path in FOLDER.glob(f"{prefix}*.json"))


def sample(name: str) -> dict[str, Any]:
    """A new copy of a sample, which a test may change. Commands have just been sent, unless they come from an archive."""
    event: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text())
    if name.startswith("bus-") and "replay-name" not in event:
        event["time"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
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
    """A REST sample with parts of it replaced. A `body` that is not text is sent as JSON."""
    event = sample(name)
    if key is not None:
        set_header(event, IDEMPOTENCY_KEY, key)
    if body is not None:
        event["body"] = body if isinstance(body, str) else json.dumps(body)
    if query is not None:
        event["queryStringParameters"] = query
        event["multiValueQueryStringParameters"] = {name: [value] for name, value in query.items()}
    if path is not None:
        event["path"] = path
    if role is not None:
        event["requestContext"]["identity"]["userArn"] = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/session"
    return event


def get_run(run_id: str, role: str | None = None) -> dict[str, Any]:
    """A request for one task run."""
    return rest_sample("api-get-task-run", path=task_run_path(run_id), role=role)


def cancel_run(run_id: str, role: str | None = None) -> dict[str, Any]:
    """A request to cancel one task run."""
    return rest_sample("api-cancel-task-run", path=f"{task_run_path(run_id)}/cancellation", role=role)


def set_header(event: dict[str, Any], name: str, value: str | None) -> None:
    """Set a header, or remove it (None), in both forms that API Gateway sends and in any case."""
    for form in ("headers", "multiValueHeaders"):
        others = {sent: old for sent, old in event[form].items() if sent.lower() != name.lower()}
        new = {} if value is None else {name: value if form == "headers" else [value]}
        event[form] = others | new
