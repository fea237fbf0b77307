"""The requests of a case, made from the sample events under events/."""

import json
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.chaos.cases import RequestKind

_SAMPLES = Path(__file__).resolve().parents[2] / "events"
_SAMPLE_OF = {
    "labeling set": "labeling-set",
    "import": "import",
    "replace": "import",
    "replace with export": "import",
    "evaluation": "evaluation",
    "export": "export",
}


def message(request_kind: RequestKind, key: str, transform_id: str, output: str, label_file: tuple[str, str]) -> dict[str, Any]:
    """The request for the case's run. A REST call gets a new request id each time, a bus event comes again unchanged.

    `label_file`: S3 path and ETag.
    """
    if request_kind == "upload":
        return _upload(key, label_file)
    entry_point, _, start = request_kind.partition(" ")
    sample, payload = f"{entry_point}-start-{_SAMPLE_OF[start]}", _payload(start, transform_id, output, label_file[0])
    return _rest(sample, key, payload) if entry_point == "api" else _bus(sample, key, payload)


def cancellation(run_id: str) -> dict[str, Any]:
    event = _sample("api-cancel-task-run")
    event["path"] = f"/v1/task-runs/{run_id}/cancellation"
    event["pathParameters"] = {"id": run_id}
    event["requestContext"] |= {"path": f"/live/v1/task-runs/{run_id}/cancellation", "requestId": str(uuid4())}
    return event


def _payload(start: str, transform_id: str, output: str, path: str) -> dict[str, Any]:
    payload: dict[str, Any] = {"transformId": transform_id}
    if start in ("labeling set", "export"):
        payload |= {"outputS3Path": output}
    if start.startswith(("import", "replace")):
        payload |= {"inputS3Path": path}
    if start.startswith("replace"):
        payload |= {"replaceAllLabels": True}
    if start == "replace with export":
        payload |= {"exportTo": output}
    return payload


def _upload(key: str, label_file: tuple[str, str]) -> dict[str, Any]:
    event, (path, etag) = _sample("bus-upload"), label_file
    bucket, _, name = path.removeprefix("s3://").partition("/")
    event["detail"]["bucket"] = {"name": bucket}
    event["detail"]["object"] |= {"key": name, "etag": etag}
    event["detail"]["object"].pop("version-id", None)
    return event | {"id": key}


def _rest(sample: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
    event = _sample(sample)
    event["headers"]["Idempotency-Key"] = key
    event["multiValueHeaders"]["Idempotency-Key"] = [key]
    event["requestContext"]["requestId"] = str(uuid4())
    return event | {"body": json.dumps(body), "isBase64Encoded": False}


def _bus(sample: str, key: str, detail: dict[str, Any]) -> dict[str, Any]:
    return _sample(sample) | {"id": key, "detail": detail | {"idempotencyKey": key}}


def _sample(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(_text(name))
    return event


@cache
def _text(name: str) -> str:
    return (_SAMPLES / f"{name}.json").read_text()
