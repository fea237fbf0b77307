"""The API's paths, and the method that each of them takes."""

import re

LABELING_SET_RUNS = "/v1/labeling-set-runs"
LABEL_IMPORT_RUNS = "/v1/label-import-runs"
TASK_RUNS = "/v1/task-runs"
TASK_RUN = f"{TASK_RUNS}/<id>"
CANCELLATION = f"{TASK_RUN}/cancellation"
OPENAPI = "/v1/openapi.json"

METHODS = {
    LABELING_SET_RUNS: "POST",
    LABEL_IMPORT_RUNS: "POST",
    TASK_RUNS: "GET",
    TASK_RUN: "GET",
    CANCELLATION: "POST",
    OPENAPI: "GET",
}


def task_run_path(run_id: str) -> str:
    """The path at which the task run can be read."""
    return TASK_RUN.replace("<id>", run_id)


def allowed_method(path: str) -> str | None:
    """The method that `path` takes, with or without a trailing slash; None if the API has no such path."""
    bare = path.rstrip("/")
    return next((method for route, method in METHODS.items() if re.fullmatch(route.replace("<id>", "[^/]+"), bare)), None)
