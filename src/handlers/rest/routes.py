"""The API's paths, and the methods that each of them takes."""

import re

LABELING_SET_RUNS = "/v1/labeling-set-runs"
LABEL_IMPORT_RUNS = "/v1/label-import-runs"
TASK_RUNS = "/v1/task-runs"
TASK_RUN = "/v1/task-runs/<id>"
CANCELLATION = "/v1/task-runs/<id>/cancellation"
OPENAPI = "/v1/openapi.json"

METHODS = {
    LABELING_SET_RUNS: "POST",
    LABEL_IMPORT_RUNS: "POST",
    TASK_RUNS: "GET",
    TASK_RUN: "GET",
    CANCELLATION: "POST",
    OPENAPI: "GET",
}


def allowed_method(path: str) -> str | None:
    """The method that `path` takes, with or without a slash at its end, or None where there is nothing."""
    bare = path.rstrip("/")
    return next((method for rule, method in METHODS.items() if re.fullmatch(rule.replace("<id>", "[^/]+"), bare)), None)
