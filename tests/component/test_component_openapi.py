"""The OpenAPI document: what is served is what is committed, it covers every route and problem, and its examples are valid."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # its stubs are a package of their own
from pydantic import BaseModel

from contracts.documents import OPENAPI_PATH, openapi_text
from core.requests import EvaluationRequest, LabelExportRequest, LabelImportRequest, LabelingSetRequest
from core.views import TaskRun, TaskRunList
from handlers.rest import labeling_problems
from handlers.rest.idempotency_key import MalformedKey, idempotency_key
from handlers.rest.labeling_examples import labeling_examples
from handlers.rest.problems import EXPECTED, KINDS, ProblemDetails
from handlers.rest.routes import METHODS
from tests.component.handler_harness import HandlerHarness
from tests.component.sample_events import names, sample

DOCUMENT: dict[str, Any] = json.loads(OPENAPI_PATH.read_text())
OPERATIONS: dict[str, dict[str, Any]] = {
    operation["operationId"]: operation for operations in DOCUMENT["paths"].values() for operation in operations.values()
}
STARTS = ("startLabelingSetRun", "startLabelImportRun", "startEvaluationRun", "startLabelExportRun")
NEED_A_SET = ("createLink", "getAgreement", "getConsensus")  # which may not be generated yet
PROBLEM_JSON = "application/problem+json"
MODELS: dict[str, type[BaseModel]] = {
    "LabelingSetRequest": LabelingSetRequest,
    "LabelImportRequest": LabelImportRequest,
    "EvaluationRequest": EvaluationRequest,
    "LabelExportRequest": LabelExportRequest,
    "TaskRun": TaskRun,
    "TaskRunList": TaskRunList,
    "ProblemDetails": ProblemDetails,
    **{name: type(example) for name, example in labeling_examples().items()},
}
# The errors of each operation; every operation has those that API Gateway answers itself, and an internal fault.
GATEWAY = {403, 429, 500, 504}
ERRORS = {
    **dict.fromkeys(STARTS, GATEWAY | {400, 404, 409, 413, 415, 422, 503}),
    "getTaskRun": GATEWAY | {404, 503},
    "listTaskRuns": GATEWAY | {400, 422, 503},
    "cancelTaskRun": GATEWAY | {400, 404, 409, 413, 415, 503},
    "getLabelingSet": GATEWAY | {404, 503},
    "listAnswers": GATEWAY | {404, 503},
    "getAgreement": GATEWAY | {404, 409, 503},
    "getConsensus": GATEWAY | {404, 409, 503},
    "createLink": GATEWAY | {400, 404, 409, 413, 415, 422, 503},
    "listLinks": GATEWAY | {404, 503},
    "revokeLink": GATEWAY | {404, 503},
    "getOpenApi": GATEWAY,
}


def errors() -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Every documented error: operation id, status, response."""
    for operation_id, operation in OPERATIONS.items():
        for status, response in operation["responses"].items():
            if not status.startswith("2"):
                yield operation_id, int(status), response


def examples_of(content: dict[str, Any]) -> list[dict[str, Any]]:
    named = [example["value"] for example in content.get("examples", {}).values()]
    return named + ([content["example"]] if "example" in content else [])


def problem_examples() -> list[tuple[int, dict[str, Any]]]:
    return [(status, example) for _, status, response in errors() for example in examples_of(response["content"][PROBLEM_JSON])]


def schemas() -> dict[str, Any]:
    components: dict[str, Any] = DOCUMENT["components"]["schemas"]
    return components


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator(schema | {"components": DOCUMENT["components"]})


def check(name: str, example: object) -> str:
    """Read an example as strictly as the API reads it; unknown members are an error."""
    schema = schemas()[name]
    assert isinstance(example, dict)
    assert set(example) <= set(schema["properties"])
    assert set(schema.get("required", [])) <= set(example)
    MODELS[name].model_validate_json(json.dumps(example))
    validator(schema).validate(example)
    return name


def test_committed_document_is_generated_from_the_code() -> None:
    assert OPENAPI_PATH.read_text() == openapi_text(), "run make contracts"


def test_api_serves_the_committed_document(harness: HandlerHarness) -> None:
    assert harness.rest(sample("api-openapi")).body == DOCUMENT
    assert harness.calls == []


def test_document_is_openapi_3_1_of_a_signed_api() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    assert DOCUMENT["security"] == [{"sigv4": []}]
    assert set(DOCUMENT["components"]["securitySchemes"]) == {"sigv4"}


def test_document_has_every_route() -> None:
    routes = {
        (path.replace("<", "{").replace(">", "}"), method.lower()) for path, methods in METHODS.items() for method in methods
    }
    assert {(path, method) for path, operations in DOCUMENT["paths"].items() for method in operations} == routes


def test_every_operation_has_a_readable_id_and_summary() -> None:
    ids = [operation["operationId"] for operations in DOCUMENT["paths"].values() for operation in operations.values()]
    assert all(re.fullmatch(r"[a-z]+([A-Z][a-z]+)+", id_) for id_ in ids)
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[A-Z][a-z -]+", operation["summary"]) for operation in OPERATIONS.values())


def test_every_start_requires_an_idempotency_key() -> None:
    for operation_id, operation in OPERATIONS.items():
        keys = [parameter for parameter in operation.get("parameters", []) if parameter["name"] == "Idempotency-Key"]
        assert [(key["in"], key["required"]) for key in keys] == ([("header", True)] if operation_id in STARTS else [])


@pytest.mark.parametrize("operation_id", STARTS)
@pytest.mark.parametrize(
    "header",
    [
        "k",
        "k" * 255,
        '"k"',
        '"a\\"b\\\\c"',
        '"' + '\\"' * 255 + '"',
        "a,b;c",
        "k" * 256,
        "",
        '""',
        '"open',
        '"a"b"',
        "two words",
        '"two words"',
        '"a\\b"',
        "ключ",
        '"' + "k" * 256 + '"',
    ],
)
def test_idempotency_key_schema_allows_what_the_code_accepts(operation_id: str, header: str) -> None:
    schema = next(each["schema"] for each in OPERATIONS[operation_id]["parameters"] if each["name"] == "Idempotency-Key")
    try:
        accepted = bool(idempotency_key(header))
    except MalformedKey:
        accepted = False
    assert Draft202012Validator(schema).is_valid(header) == accepted


@pytest.mark.parametrize(
    ("request_schema", "field", "path", "valid"),
    [
        ("LabelingSetRequest", "outputS3Path", "s3://bucket/sets/", True),
        ("LabelingSetRequest", "outputS3Path", "s3://bucket/sets", True),
        ("LabelingSetRequest", "outputS3Path", "s3://bucket", True),
        ("LabelingSetRequest", "outputS3Path", "s3://bucket/" + "x" * 978, True),
        ("LabelingSetRequest", "outputS3Path", "s3://bucket/" + "x" * 979, False),
        ("LabelingSetRequest", "outputS3Path", "s3://Bucket/sets", False),
        ("LabelingSetRequest", "outputS3Path", "bucket/sets", False),
        ("LabelingSetRequest", "outputS3Path", "", False),
        ("LabelImportRequest", "inputS3Path", "s3://bucket/labels/round 1, äöü.csv", True),
        ("LabelImportRequest", "inputS3Path", "s3://bucket/" + "x" * 1012, True),
        ("LabelImportRequest", "inputS3Path", "s3://bucket/" + "x" * 1013, False),
        ("LabelImportRequest", "inputS3Path", "s3://bucket/labels/", False),
        ("LabelImportRequest", "inputS3Path", "s3://bucket/a\nb.csv", False),
        ("LabelImportRequest", "exportTo", "s3://bucket/backups", True),
        ("LabelImportRequest", "exportTo", None, True),
        ("LabelImportRequest", "exportTo", "backups", False),
        ("LabelExportRequest", "outputS3Path", "s3://bucket/exports", True),
        ("LabelExportRequest", "outputS3Path", "s3://bucket/" + "x" * 979, False),
    ],
)
def test_s3_paths_have_a_pattern_and_a_length(request_schema: str, field: str, path: str | None, valid: bool) -> None:  # noqa: FBT001  a column
    schema = schemas()[request_schema]["properties"][field]
    assert validator(schema).is_valid(path) == valid


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_every_operation_documents_the_errors_that_it_may_answer(operation_id: str) -> None:
    assert {status for id_, status, _ in errors() if id_ == operation_id} == ERRORS[operation_id]


def test_every_error_is_a_problem_and_none_is_a_powertools_default() -> None:
    for operation in OPERATIONS.values():
        for status, response in operation["responses"].items():
            if status.startswith("2"):
                assert PROBLEM_JSON not in response.get("content", {})
            else:
                assert list(response["content"]) == [PROBLEM_JSON]
    assert "ValidationError" not in json.dumps(DOCUMENT)


def test_generated_clients_get_every_error_as_the_same_named_type() -> None:
    for _, _, response in errors():
        assert response["content"][PROBLEM_JSON]["schema"] == {"$ref": "#/components/schemas/ProblemDetails"}
    problem = schemas()["ProblemDetails"]
    assert (problem["type"], problem["title"], problem["required"]) == ("object", "ProblemDetails", ["title"])
    assert set(problem["properties"]) == {"type", "title", "status", "detail", "instance", "errors"}
    entries = next(each for each in problem["properties"]["errors"]["anyOf"] if each["type"] == "array")
    assert entries["items"] == {"$ref": "#/components/schemas/FieldProblem"}


def test_only_a_start_mentions_a_key() -> None:
    for operation_id, _, response in errors():
        assert operation_id in STARTS or not re.search(r"\bkey\b|No run was started", json.dumps(response))


def test_a_server_error_says_what_is_known_and_what_to_do() -> None:
    for operation_id, status, response in errors():
        if status >= 500:
            assert re.search(r"send the (same key|request) again", response["description"], re.IGNORECASE), operation_id


def test_retry_after_is_documented_where_it_is_sent() -> None:
    kinds = [*KINDS.values(), *labeling_problems.KINDS.values()]
    waits = {int(kind.status) for kind in kinds if kind.retry_after_seconds}
    assert waits == {409, 429, 503}
    for operation_id, status, response in errors():
        is_sent = status in (429, 503) or (status == 409 and operation_id in (*STARTS, *NEED_A_SET))
        assert ("Retry-After" in response.get("headers", {})) == is_sent


def test_details_of_problems_are_sentences_and_details_of_fields_are_not() -> None:
    from_code = [kind.detail for kind in KINDS.values() if kind.detail]
    for detail in [*from_code, *(example["detail"] for status, example in problem_examples() if status not in (403, 429, 504))]:
        assert re.fullmatch(r"[A-Z].+\.", detail), detail
    for _, example in problem_examples():
        for error in example.get("errors", []):
            assert re.fullmatch(r"[a-z].+[^.]", error["detail"]), error


def test_every_title_in_the_code_is_shown_in_an_example() -> None:
    shown = {example["title"] for _, example in problem_examples()}
    titles = {kind.title for kind in (*KINDS.values(), *labeling_problems.KINDS.values())}
    assert titles - shown == {"Malformed Idempotency-Key"}  # stands beside "Missing header", under the same status
    assert set(KINDS) < set(EXPECTED)


def test_every_reference_resolves_and_every_schema_is_used() -> None:
    references = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(DOCUMENT)))
    assert references == set(DOCUMENT["components"]["schemas"])


@pytest.mark.parametrize(
    "name", [name for name in names("api") if name not in ("api-wrong-method", "api-unknown-path", "api-doubled-slash")]
)
def test_response_to_every_sample_is_documented(harness: HandlerHarness, name: str) -> None:
    event = sample(name)
    response = harness.rest(event)
    documented = DOCUMENT["paths"][event["resource"]][event["httpMethod"].lower()]["responses"][str(response.status)]
    assert list(documented["content"]) == [response.headers["content-type"]]
    assert set(response.headers) - {"content-type"} <= {header.lower() for header in documented.get("headers", {})}
    schema = documented["content"][response.headers["content-type"]]["schema"]
    validator(schema).validate(response.body)
    model = MODELS.get(schema.get("$ref", "").rpartition("/")[2])
    if model is not None:
        model.model_validate(response.body)


def test_examples_are_valid_for_their_schemas() -> None:
    checked = [check(name, example) for name, schema in schemas().items() for example in schema.get("examples", [])]
    responses = [response for operation in OPERATIONS.values() for response in operation["responses"].values()]
    contents = [content for response in responses for content in response.get("content", {}).values() if examples_of(content)]
    for content in contents:
        checked += [check(content["schema"]["$ref"].rpartition("/")[2], example) for example in examples_of(content)]
    assert {*checked} == set(MODELS)


def test_examples_of_fields_are_valid_for_their_fields() -> None:
    request = {name: schema["examples"][0] for name, schema in schemas()["LabelingSetRequest"]["properties"].items()}
    check("LabelingSetRequest", request)
    file = {
        name: schema["examples"][0]
        for name, schema in schemas()["LabelImportRequest"]["properties"].items()
        if "examples" in schema
    }
    check("LabelImportRequest", file)


def test_examples_of_problems_have_the_status_that_they_are_listed_under() -> None:
    assert len(problem_examples()) >= sum(1 for _ in errors())
    for status, example in problem_examples():
        assert example["status"] == status
    for operation in OPERATIONS.values():
        for status, response in operation["responses"].items():
            assert not status.startswith("2") or PROBLEM_JSON not in response.get("content", {})
