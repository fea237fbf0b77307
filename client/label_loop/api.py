"""The REST API as its callers see it: requests signed with SigV4, by the same code here and against AWS."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

TIMEOUT_SECONDS = 60  # API Gateway gives up after 29; a busy laptop may need longer for a first, cold answer


@dataclass(frozen=True)
class Response:
    """`headers` have lower-case names; `body` is the parsed JSON, or None where there was none."""

    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class ApiClient:
    """`credentials` None sends requests unsigned."""

    url: str
    region: str
    credentials: Credentials | None
    connection: URLLib3Session = field(default_factory=lambda: URLLib3Session(timeout=TIMEOUT_SECONDS), repr=False)

    def start_labeling_set_run(self, key: str, transform_id: str, output_s3_path: str) -> Response:
        body = {"transformId": transform_id, "outputS3Path": output_s3_path}
        return self.request("POST", "/v1/labeling-set-runs", body, {"Idempotency-Key": key})

    def start_label_import_run(
        self, key: str, transform_id: str, input_s3_path: str, *, replace_all_labels: bool = False
    ) -> Response:
        body = {"transformId": transform_id, "inputS3Path": input_s3_path, "replaceAllLabels": replace_all_labels}
        return self.request("POST", "/v1/label-import-runs", body, {"Idempotency-Key": key})

    def get_task_run(self, run_id: str) -> Response:
        return self.request("GET", f"/v1/task-runs/{run_id}")

    def list_task_runs(self, **filters: str) -> Response:
        return self.request("GET", f"/v1/task-runs?{urlencode(filters)}")

    def cancel_task_run(self, run_id: str) -> Response:
        return self.request("POST", f"/v1/task-runs/{run_id}/cancellation")

    def request(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Response:
        """Send one request. `body` is sent as it is if text, else as JSON."""
        data = body if isinstance(body, str) else None if body is None else json.dumps(body)
        content = {} if data is None else {"Content-Type": "application/json"}
        request = AWSRequest(method=method, url=self.url + path, data=data, headers={**content, **(headers or {})})
        if self.credentials is not None:
            SigV4Auth(self.credentials, "execute-api", self.region).add_auth(request)
        response = self.connection.send(request.prepare())
        told = {name.lower(): value for name, value in response.headers.items()}
        return Response(response.status_code, told, json.loads(response.content) if response.content else None)
