"""The API's description: what is served is what is committed, it tells of every route and problem, its examples are true."""

import json
import re
from typing import Any

import pytest
from pydantic import BaseModel

from contracts.documents import PATH, generated
from core.requests import LabelImportRequest, LabelingSetRequest
from core.views import TaskRun, TaskRunList
from handlers.rest.problems import ProblemDetails
from handlers.rest.routes import METHODS
from tests.component.handler_harness import HandlerHarness
from tests.component.samples import names, sample

DOCUMENT: dict[str, Any] = json.loads(PATH.read_text())
OPERATIONS = [(path, method, operation) for path, both in DOCUMENT["paths"].items() for method, operation in both.items()]
STARTS = ("startLabelingSetRun", "startLabelImportRun")
MODELS: dict[str, type[BaseModel]] = {
    "LabelingSetRequest": LabelingSetRequest,
    "LabelImportRequest": LabelImportRequest,
    "TaskRun": TaskRun,
    "TaskRunList": TaskRunList,
    "ProblemDetails": ProblemDetails,
}


def test_the_committed_file_is_what_the_code_says() -> None:
    assert PATH.read_text() == generated(), "run make contracts"


def test_the_api_serves_what_is_committed(harness: HandlerHarness) -> None:
    assert harness.rest(sample("api-openapi")).body == DOCUMENT
    assert harness.calls == []


def test_it_is_openapi_3_1_of_a_signed_api() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    assert DOCUMENT["security"] == [{"sigv4": []}]
    assert set(DOCUMENT["components"]["securitySchemes"]) == {"sigv4"}


def test_it_tells_of_every_route() -> None:
    routes = {(path.replace("<id>", "{id}"), method.lower()) for path, method in METHODS.items()}
    assert {(path, method) for path, method, _ in OPERATIONS} == routes


def test_every_operation_has_a_readable_id_and_summary() -> None:
    ids = [operation["operationId"] for _, _, operation in OPERATIONS]
    assert all(re.fullmatch(r"[a-z]+([A-Z][a-z]+)+", id_) for id_ in ids)
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[A-Z][a-z -]+", operation["summary"]) for _, _, operation in OPERATIONS)


def test_every_start_wants_an_idempotency_key() -> None:
    for _, _, operation in OPERATIONS:
        keys = [one for one in operation.get("parameters", []) if one["name"] == "Idempotency-Key"]
        assert [(one["in"], one["required"]) for one in keys] == (
            [("header", True)] if operation["operationId"] in STARTS else []
        )


def test_every_error_is_a_problem_and_powertools_own_are_gone() -> None:
    for _, _, operation in OPERATIONS:
        for status, answer in operation["responses"].items():
            media_type = "application/json" if status.startswith("2") else "application/problem+json"
            assert list(answer["content"]) == [media_type]
    assert "ValidationError" not in json.dumps(DOCUMENT)


def test_every_reference_leads_somewhere_and_every_schema_is_used() -> None:
    references = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(DOCUMENT)))
    assert references == set(DOCUMENT["components"]["schemas"])


@pytest.mark.parametrize("name", [name for name in names("api") if name not in ("api-wrong-method", "api-unknown-path")])
def test_every_sample_s_answer_is_told_of(harness: HandlerHarness, name: str) -> None:
    event = sample(name)
    answer = harness.rest(event)
    told = DOCUMENT["paths"][event["resource"]][event["httpMethod"].lower()]["responses"][str(answer.status)]
    assert list(told["content"]) == [answer.headers["content-type"]]
    assert set(answer.headers) - {"content-type"} <= {header.lower() for header in told.get("headers", {})}
    schema = told["content"][answer.headers["content-type"]]["schema"]
    model = MODELS.get(schema.get("$ref", "").rpartition("/")[2])
    if model is not None:
        model.model_validate(answer.body)


def test_examples_are_what_their_schemas_say() -> None:
    checked = [check(name, example) for name, one in schemas().items() for example in one.get("examples", [])]
    answers = [answer for _, _, operation in OPERATIONS for answer in operation["responses"].values()]
    contents = [content for answer in answers for content in answer["content"].values() if "example" in content]
    checked += [check(content["schema"]["$ref"].rpartition("/")[2], content["example"]) for content in contents]
    assert {*checked} == set(MODELS)


def test_fields_examples_are_what_their_fields_say() -> None:
    request = {name: one["examples"][0] for name, one in schemas()["LabelingSetRequest"]["properties"].items()}
    check("LabelingSetRequest", request)
    file = {
        name: one["examples"][0] for name, one in schemas()["LabelImportRequest"]["properties"].items() if "examples" in one
    }
    check("LabelImportRequest", file)


def test_statuses_of_problems_examples_are_those_they_stand_under() -> None:
    for _, _, operation in OPERATIONS:
        for status, answer in operation["responses"].items():
            example = answer["content"].get("application/problem+json", {}).get("example")
            assert example is None if status.startswith("2") else example["status"] == int(status)


def schemas() -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["components"]["schemas"]
    return found


def check(name: str, example: object) -> str:
    """Read an example as strictly as the API reads it; unknown members are an error."""
    told = schemas()[name]["properties"]
    assert isinstance(example, dict)
    assert set(example) <= set(told)
    assert set(schemas()[name].get("required", [])) <= set(example)
    MODELS[name].model_validate_json(json.dumps(example))
    return name
