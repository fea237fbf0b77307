"""Schemathesis sends valid and invalid requests from the OpenAPI document to the local cloud's API: all responses conform."""

import json
from typing import Any

import pytest
import schemathesis
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from contracts.documents import OPENAPI_PATH
from label_loop.api import TIMEOUT_SECONDS, ApiClient

schema = schemathesis.openapi.from_dict(json.loads(OPENAPI_PATH.read_text()))
CHECKS: list[Any] = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@schema.parametrize()
@settings(max_examples=25, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_api_conforms_to_its_openapi_document(case: Case[Any], api: ApiClient) -> None:
    response = case.call(base_url=api.url, auth=_sign(api), timeout=TIMEOUT_SECONDS)
    case.validate_response(response, checks=CHECKS)


def _sign(api: ApiClient) -> Any:  # noqa: ANN401 - an authenticator of requests
    def sign(prepared: Any) -> Any:  # noqa: ANN401 - requests' PreparedRequest
        headers = {name: value for name, value in prepared.headers.items() if name.lower() in ("host", "content-type")}
        request = AWSRequest(method=prepared.method, url=prepared.url, data=prepared.body or b"", headers=headers)
        assert api.credentials is not None
        SigV4Auth(api.credentials, "execute-api", api.region).add_auth(request)
        prepared.headers.update(dict(request.headers.items()))
        return prepared

    return sign
