"""The API's paths, and the method and query parameters that each of them takes."""

import re
from collections.abc import Mapping
from typing import Any

LABELING_SET_RUNS = "/v1/labeling-set-runs"
LABEL_IMPORT_RUNS = "/v1/label-import-runs"
EVALUATION_RUNS = "/v1/evaluation-runs"
LABEL_EXPORT_RUNS = "/v1/label-export-runs"
TASK_RUNS = "/v1/task-runs"
TASK_RUN = f"{TASK_RUNS}/<id>"
CANCELLATION = f"{TASK_RUN}/cancellation"
OPENAPI = "/v1/openapi.json"

LABELING_SET = "/v1/labeling-sets/<id>"
LABELING_SET_ANSWERS = f"{LABELING_SET}/answers"
LABELING_SET_AGREEMENT = f"{LABELING_SET}/agreement"
LABELING_SET_CONSENSUS = f"{LABELING_SET}/consensus.csv"
LABELING_SET_LINKS = f"{LABELING_SET}/links"
LABELING_SET_LINK = f"{LABELING_SET_LINKS}/<linkId>"

METHODS: dict[str, tuple[str, ...]] = {
    LABELING_SET_RUNS: ("POST",),
    LABEL_IMPORT_RUNS: ("POST",),
    EVALUATION_RUNS: ("POST",),
    LABEL_EXPORT_RUNS: ("POST",),
    TASK_RUNS: ("GET",),
    TASK_RUN: ("GET",),
    CANCELLATION: ("POST",),
    LABELING_SET: ("GET",),
    LABELING_SET_ANSWERS: ("GET",),
    LABELING_SET_AGREEMENT: ("GET",),
    LABELING_SET_CONSENSUS: ("GET",),
    LABELING_SET_LINKS: ("GET", "POST"),
    LABELING_SET_LINK: ("DELETE",),
    OPENAPI: ("GET",),
}


QUERY_PARAMETERS = {TASK_RUNS: ("transformId", "status", "taskType", "limit", "cursor")}

_PATTERNS = {route: re.compile(f"({re.sub('<[a-zA-Z]+>', '[^/]+', route)})/?") for route in METHODS}
_BASE_PATH = re.compile(r"(?:/[^/]+)*")


def path_below_base(event: Mapping[str, Any]) -> str:
    """The path of the request as this API defines it.

    Behind a custom domain, `path` begins with the base path that the domain maps to this API; `resource` does not, but has
    `{id}` in place of the id.
    """
    path: str = event["path"]
    route = str(event.get("resource")).replace("{", "<").replace("}", ">")
    if route in _PATTERNS and (match := re.search(rf"{_PATTERNS[route].pattern}\Z", path)) is not None:
        return match[0] if _BASE_PATH.fullmatch(path, 0, match.start()) else path
    return path


def task_run_path(run_id: str) -> str:
    """The path at which the task run can be read, below the API's URL."""
    return TASK_RUN.replace("<id>", run_id)


def task_run_reference(run_id: str, start_path: str = LABELING_SET_RUNS) -> str:
    """The task run, relative to the URL of the request that started it (RFC 9110, 10.2.2).

    Only the caller knows that URL: API Gateway adds the stage, a custom domain its base path, a laptop something else.
    """
    parent = "../" if start_path.endswith("/") else ""
    return f"{parent}task-runs/{run_id}"


def matching_route(path: str) -> str | None:
    """The route of `path`, with or without one trailing slash; None if the API has no such path."""
    return next((route for route, pattern in _PATTERNS.items() if pattern.fullmatch(path)), None)


def allowed_methods(path: str) -> tuple[str, ...]:
    """The methods that `path` takes; none if the API has no such path."""
    route = matching_route(path)
    return METHODS[route] if route else ()


def is_about_labeling(path: str) -> bool:
    """Whether `path` is a labeling set's, not a task run's."""
    return path.startswith("/v1/labeling-sets/")


def unknown_query_parameters(event: Mapping[str, Any]) -> list[str]:
    """The query parameters that the path does not take, other than those of a signature in the query."""
    sent = {**(event.get("queryStringParameters") or {}), **(event.get("multiValueQueryStringParameters") or {})}
    known = QUERY_PARAMETERS.get(matching_route(event["path"]) or "", ())
    return [name for name in sent if name not in known and not name.lower().startswith("x-amz-")]
