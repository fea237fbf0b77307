"""The requests of a case, made from the sample events under events/."""

import json
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.chaos.cases import RequestKind

_SAMPLES = Path(__file__).resolve().parents[2] / "events"


def message(request_kind: RequestKind, key: str, transform_id: str, output: str, label_file: tuple[str, str]) -> dict[str, Any]:
    """The request for the case's run. A REST call gets a new request id each time, a bus event comes again unchanged.

    `label_file`: S3 path and ETag.
    """
    path, etag = label_file
    match request_kind:
        case "api labeling set":
            return _rest("api-start-labeling-set", key, {"transformId": transform_id, "outputS3Path": output})
        case "api import":
            return _rest("api-start-import", key, {"transformId": transform_id, "inputS3Path": path})
        case "api replace" | "api replace with export":
            export = {"exportTo": output} if request_kind.endswith("export") else {}
            return _rest("api-start-import", key, _replace(transform_id, path) | export)
        case "bus replace with export":
            event = _sample("bus-start-import")
            detail = _replace(transform_id, path) | {"exportTo": output, "idempotencyKey": key}
            return event | {"id": key, "detail": detail}
        case "bus labeling set":
            event = _sample("bus-start-labeling-set")
            detail = {"transformId": transform_id, "outputS3Path": output, "idempotencyKey": key}
            return event | {"id": key, "detail": detail}
        case "upload":
            event = _sample("bus-upload")
            bucket, _, name = path.removeprefix("s3://").partition("/")
            event["detail"]["bucket"] = {"name": bucket}
            event["detail"]["object"] |= {"key": name, "etag": etag}
            event["detail"]["object"].pop("version-id", None)
            return event | {"id": key}


def cancellation(run_id: str) -> dict[str, Any]:
    event = _sample("api-cancel-task-run")
    event["path"] = f"/v1/task-runs/{run_id}/cancellation"
    event["pathParameters"] = {"id": run_id}
    event["requestContext"] |= {"path": f"/live/v1/task-runs/{run_id}/cancellation", "requestId": str(uuid4())}
    return event


def _replace(transform_id: str, path: str) -> dict[str, Any]:
    return {"transformId": transform_id, "inputS3Path": path, "replaceAllLabels": True}


def _rest(sample: str, key: str, body: dict[str, Any]) -> dict[str, Any]:
    event = _sample(sample)
    event["headers"]["Idempotency-Key"] = key
    event["multiValueHeaders"]["Idempotency-Key"] = [key]
    event["requestContext"]["requestId"] = str(uuid4())
    return event | {"body": json.dumps(body), "isBase64Encoded": False}


def _sample(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads(_text(name))
    return event


@cache
def _text(name: str) -> str:
    return (_SAMPLES / f"{name}.json").read_text()
