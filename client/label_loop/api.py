"""The REST API, one method per operation. Requests are signed with SigV4."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session

TIMEOUT_SECONDS = 60  # API Gateway answers within 29; a cold local cloud may need longer
LABELING_SET_RUNS = "/v1/labeling-set-runs"
LABEL_IMPORT_RUNS = "/v1/label-import-runs"
TASK_RUNS = "/v1/task-runs"


@dataclass(frozen=True)
class Response:
    """`headers` have lower-case names; `body` is the parsed JSON, or None if the response has no body."""

    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class ApiClient:
    """Client of the API at `url`; with `credentials` None, requests are sent unsigned.

    Every method returns the response, whatever its status. It raises botocore.exceptions.HTTPClientError if none
    arrives, and json.JSONDecodeError if the response is not JSON.
    """

    url: str
    region: str
    credentials: Credentials | None
    http_session: URLLib3Session = field(default_factory=lambda: URLLib3Session(timeout=TIMEOUT_SECONDS), repr=False)

    def start_labeling_set_run(self, idempotency_key: str, transform_id: str, output_s3_path: str) -> Response:
        """Generate a labeling set under `output_s3_path`. Calls with one key start one run."""
        body = {"transformId": transform_id, "outputS3Path": output_s3_path}
        return self.request("POST", LABELING_SET_RUNS, body, {"Idempotency-Key": idempotency_key})

    def start_label_import_run(
        self, idempotency_key: str, transform_id: str, input_s3_path: str, *, replace_all_labels: bool = False
    ) -> Response:
        """Import the label file `input_s3_path`. Calls with one key start one run."""
        body = {"transformId": transform_id, "inputS3Path": input_s3_path, "replaceAllLabels": replace_all_labels}
        return self.request("POST", LABEL_IMPORT_RUNS, body, {"Idempotency-Key": idempotency_key})

    def get_task_run(self, run_id: str) -> Response:
        return self.request("GET", f"{TASK_RUNS}/{run_id}")

    def list_task_runs(self, **filters: str) -> Response:
        """One page of the runs, newest first. `filters` are the query parameters: transformId, status, limit, cursor."""
        return self.request("GET", f"{TASK_RUNS}?{urlencode(filters)}")

    def cancel_task_run(self, run_id: str) -> Response:
        return self.request("POST", f"{TASK_RUNS}/{run_id}/cancellation")

    def request(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Response:
        """Send one request, without retries. `body` is sent unchanged if it is text, otherwise as JSON."""
        data = body if isinstance(body, str) else None if body is None else json.dumps(body)
        content_type = {} if data is None else {"Content-Type": "application/json"}
        request = AWSRequest(method=method, url=self.url + path, data=data, headers={**content_type, **(headers or {})})
        if self.credentials is not None:
            SigV4Auth(self.credentials, "execute-api", self.region).add_auth(request)
        response = self.http_session.send(request.prepare())
        response_headers = {name.lower(): value for name, value in response.headers.items()}
        return Response(response.status_code, response_headers, json.loads(response.content) if response.content else None)
