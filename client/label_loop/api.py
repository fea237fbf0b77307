"""The REST API, one method per operation. Requests are signed with SigV4."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

TIMEOUT_SECONDS = 60  # API Gateway answers within 29; a cold local cloud may need longer
LABELING_SET_RUNS = "/v1/labeling-set-runs"
LABEL_IMPORT_RUNS = "/v1/label-import-runs"
EVALUATION_RUNS = "/v1/evaluation-runs"
LABEL_EXPORT_RUNS = "/v1/label-export-runs"
TASK_RUNS = "/v1/task-runs"
LABELING_SETS = "/v1/labeling-sets"


@dataclass(frozen=True)
class Response:
    """`headers` have lower-case names; `body` is the parsed JSON, bytes if it is a file, None if there is none."""

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
    timeout: int = TIMEOUT_SECONDS  # in seconds

    @cached_property
    def http_session(self) -> URLLib3Session:
        """Keeps connections open. Proxies are those of the environment, but for this machine."""
        is_this_machine = urlsplit(self.url).hostname in ("127.0.0.1", "localhost", "::1")
        return URLLib3Session(timeout=self.timeout, proxies={} if is_this_machine else get_environ_proxies(self.url))

    def start_labeling_set_run(self, idempotency_key: str, transform_id: str, output_s3_path: str) -> Response:
        """Generate a labeling set under `output_s3_path`. Calls with one key start one run."""
        body = {"transformId": transform_id, "outputS3Path": output_s3_path}
        return self.request("POST", LABELING_SET_RUNS, body, {"Idempotency-Key": idempotency_key})

    def start_label_import_run(
        self,
        idempotency_key: str,
        transform_id: str,
        input_s3_path: str,
        *,
        replace_all_labels: bool = False,
        export_to: str | None = None,
    ) -> Response:
        """Import the label file `input_s3_path`. Calls with one key start one run."""
        body: dict[str, object] = {
            "transformId": transform_id,
            "inputS3Path": input_s3_path,
            "replaceAllLabels": replace_all_labels,
        }
        if export_to is not None:
            body["exportTo"] = export_to
        return self.request("POST", LABEL_IMPORT_RUNS, body, {"Idempotency-Key": idempotency_key})

    def start_evaluation_run(self, idempotency_key: str, transform_id: str) -> Response:
        """Evaluate the transform by its labels. Calls with one key start one run."""
        return self.request("POST", EVALUATION_RUNS, {"transformId": transform_id}, {"Idempotency-Key": idempotency_key})

    def start_label_export_run(self, idempotency_key: str, transform_id: str, output_s3_path: str) -> Response:
        """Export the transform's labels under `output_s3_path`. Calls with one key start one run."""
        body = {"transformId": transform_id, "outputS3Path": output_s3_path}
        return self.request("POST", LABEL_EXPORT_RUNS, body, {"Idempotency-Key": idempotency_key})

    def get_task_run(self, run_id: str) -> Response:
        return self.request("GET", f"{TASK_RUNS}/{run_id}")

    def list_task_runs(self, **filters: str) -> Response:
        """One page of the runs, newest first. `filters` are the query parameters: transformId, status, limit, cursor."""
        return self.request("GET", f"{TASK_RUNS}?{urlencode(filters)}")

    def cancel_task_run(self, run_id: str) -> Response:
        return self.request("POST", f"{TASK_RUNS}/{run_id}/cancellation")

    def get_labeling_set(self, set_id: str) -> Response:
        return self.request("GET", f"{LABELING_SETS}/{quote(set_id, safe='')}")

    def list_answers(self, set_id: str) -> Response:
        """The answers of each labeler to the set."""
        return self.request("GET", f"{LABELING_SETS}/{quote(set_id, safe='')}/answers")

    def create_link(self, set_id: str, labeler: str, **options: object) -> Response:
        """A link to the labeling page. `options`: expiresInSeconds, mayImport, blind."""
        return self.request("POST", f"{LABELING_SETS}/{quote(set_id, safe='')}/links", {"labeler": labeler, **options})

    def list_links(self, set_id: str) -> Response:
        return self.request("GET", f"{LABELING_SETS}/{quote(set_id, safe='')}/links")

    def revoke_link(self, set_id: str, link_id: str) -> Response:
        return self.request("DELETE", f"{LABELING_SETS}/{quote(set_id, safe='')}/links/{quote(link_id, safe='')}")

    def request(self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None) -> Response:
        """Send one request, without retries. `body` is sent unchanged if it is text or bytes, otherwise as JSON."""
        data = body if isinstance(body, str | bytes) else None if body is None else json.dumps(body)
        content_type = {} if data is None else {"Content-Type": "application/json"}
        request = AWSRequest(method=method, url=self.url + path, data=data, headers={**content_type, **(headers or {})})
        if self.credentials is not None:
            SigV4Auth(self.credentials, "execute-api", self.region).add_auth(request)
        response = self.http_session.send(request.prepare())
        response_headers = {name.lower(): value for name, value in response.headers.items()}
        return Response(response.status_code, response_headers, _body(response.content, response_headers))


def _body(content: bytes, headers: Mapping[str, str]) -> Any:  # noqa: ANN401 - any JSON
    if not content:
        return None
    return json.loads(content) if "json" in headers.get("content-type", "") else content
