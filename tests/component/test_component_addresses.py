"""Which URLs the API answers, and that `Location` resolves from each of them (RFC 9110, 10.2.2)."""

import json
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest

from handlers.rest.routes import METHODS, QUERY_PARAMETERS
from tests.component.handler_harness import HandlerHarness
from tests.component.sample_events import rest_sample, sample

SET, IMPORT = "api-start-labeling-set", "api-start-import"


def through(base_path: str, event: dict[str, Any]) -> dict[str, Any]:
    """The request as a custom domain sends it: `path` has the base path, `resource` and `pathParameters` have not."""
    event["path"] = f"{base_path}{event['path']}"
    return event


@pytest.mark.parametrize(
    ("url", "base_path"),
    [
        ("https://abc.execute-api.eu-west-1.amazonaws.com/live", ""),
        ("https://ml.example.com/labeling", "/labeling"),
        ("https://ml.example.com/teams/data", "/teams/data"),
        ("https://ml.example.com", ""),
        ("http://127.0.0.1:4566/_aws/execute-api/abc/live", ""),
        ("http://127.0.0.1:3000", ""),
    ],
)
@pytest.mark.parametrize("slash", ["", "/"])
def test_location_resolves_to_the_run_from_the_url_of_the_request(
    harness: HandlerHarness, url: str, base_path: str, slash: str
) -> None:
    start = through(base_path, sample(SET))
    start["path"] += slash
    response = harness.rest(start)
    assert response.status == 202
    location = urljoin(f"{url}/v1/labeling-set-runs{slash}", response.headers["location"])
    assert location == f"{url}/v1/task-runs/{response.body['id']}"

    path = base_path + location.removeprefix(url)
    read = harness.rest(rest_sample("api-get-task-run", path=path))
    assert (read.status, read.body["id"]) == (200, response.body["id"])


def test_instance_of_a_refusal_resolves_as_location_does(harness: HandlerHarness) -> None:
    response = harness.rest(through("/labeling", sample("api-unknown-transform")))
    resolved = urlsplit(urljoin("https://ml.example.com/labeling/v1/labeling-set-runs", response.body["instance"])).path
    assert (response.status, resolved) == (404, f"/labeling/v1/task-runs/{harness.only_item()['id']}")


@pytest.mark.parametrize("base_path", ["/labeling", "/a/b/c", "/v1", "/v1/task-runs"])
@pytest.mark.parametrize(
    ("name", "status"),
    [
        (IMPORT, 202),
        ("api-list-task-runs", 200),
        ("api-get-unknown-task-run", 404),
        ("api-openapi", 200),
        ("api-wrong-method", 405),
    ],
)
def test_every_route_is_found_behind_a_base_path(harness: HandlerHarness, base_path: str, name: str, status: int) -> None:
    response = harness.rest(through(base_path, sample(name)))
    assert response.status == status
    assert response.body.get("title") in (None, "Unknown task run", "Method not allowed")


@pytest.mark.parametrize(
    "path",
    [
        "//v1/label-import-runs",
        "/v1//label-import-runs",
        "/v1/label-import-runs//",
        "/labeling//v1/label-import-runs",
        "//labeling/v1/label-import-runs",
        "/v1/label-import-runs/x",
        "/v1/./label-import-runs",
        "/V1/label-import-runs",
        "/labeling/v1/label-import-run",
        "",
        "/",
    ],
)
@pytest.mark.parametrize("resource", ["/{proxy+}", "/v1/label-import-runs", None])
def test_path_that_is_not_exact_is_unknown_and_starts_nothing(harness: HandlerHarness, path: str, resource: str | None) -> None:
    response = harness.rest(rest_sample(IMPORT, path=path) | {"resource": resource})
    assert (response.status, response.body["title"]) == (404, "Unknown path")
    assert harness.items() == []
    assert harness.nothing_was_started()


def test_base_path_counts_only_where_the_gateway_matched_a_route(harness: HandlerHarness) -> None:
    event = through("/labeling", sample(IMPORT)) | {"resource": "/{proxy+}"}
    assert harness.rest(event).status == 404
    assert harness.nothing_was_started()


@pytest.mark.parametrize("name", ["transform_id", "transformid", "Status", "state", "task_type", "", "limit "])
def test_unknown_query_parameter_is_named(harness: HandlerHarness, name: str) -> None:
    response = harness.rest(rest_sample("api-list-task-runs", query={"limit": "5", name: "x"}))
    assert (response.status, response.body["title"]) == (422, "Invalid request")
    assert response.body["errors"] == [{"detail": "is not a parameter of this path", "parameter": name}]


def test_unknown_query_parameter_of_a_start_starts_nothing(harness: HandlerHarness) -> None:
    response = harness.rest(rest_sample(IMPORT, query={"dryRun": "true"}))
    assert (response.status, response.body["errors"][0]["parameter"]) == (422, "dryRun")
    assert harness.nothing_was_started()


def test_signature_in_the_query_is_no_unknown_parameter(harness: HandlerHarness) -> None:
    query = {"X-Amz-Signature": "0000", "x-amz-date": "20261122T120000Z"}
    assert harness.rest(rest_sample("api-list-task-runs", query=query)).status == 200


def test_known_parameters_are_those_of_the_document(harness: HandlerHarness) -> None:
    paths = harness.rest(sample("api-openapi")).body["paths"]
    for route, method in [(route, method) for route, methods in METHODS.items() for method in methods]:
        operation = paths[route.replace("<", "{").replace(">", "}")][method.lower()]
        documented = [each["name"] for each in operation.get("parameters", []) if each["in"] == "query"]
        assert documented == list(QUERY_PARAMETERS.get(route, ()))


@pytest.mark.parametrize(
    ("name", "field"),
    [
        (SET, "output_s3_path"),
        (SET, "OutputS3Path"),
        (IMPORT, "replace_all_labels"),
        (IMPORT, "export_to"),
        (IMPORT, "transform_id"),
    ],
)
def test_field_in_another_spelling_is_refused(harness: HandlerHarness, name: str, field: str) -> None:
    body = json.loads(sample(name)["body"]) | {field: True}
    response = harness.rest(rest_sample(name, body=body))
    assert (response.status, response.body["errors"]) == (
        422,
        [{"detail": "is not a field of this request", "pointer": f"#/{field}"}],
    )
    assert harness.nothing_was_started()
