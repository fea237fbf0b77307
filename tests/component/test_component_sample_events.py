"""Every sample in events/ goes through its real handler, with the result that events/README.md names."""

import json
import re
from dataclasses import dataclass
from datetime import timedelta
from hashlib import md5
from typing import Any

import pytest
from aws_lambda_powertools.utilities.parser.models import (
    APIGatewayProxyEventModel,
    DynamoDBStreamModel,
    EventBridgeModel,
    S3EventNotificationEventBridgeModel,
)

from core.aws.items import from_item, is_run, to_item
from local.cloud.sam_local import label_file
from local.cloud.template import handler_strings
from local.sample_table import load_febrl
from tests.component.handler_harness import HandlerHarness
from tests.component.sample_events import FOLDER, FUNCTIONS, SAMPLE_ETAGS, names, sample, set_header

STARTED = "api-start-labeling-set"


@dataclass(frozen=True)
class Rest:
    """The response to a REST sample; `points_at` are the pointers or parameters of the problem's errors."""

    status: int
    title: str | None = None
    after: str | None = None
    starts: int = 0
    ledger: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    points_at: tuple[str, ...] = ()


REST = {
    STARTED: Rest(202, starts=1, ledger=("STARTING",), headers=("location", "retry-after")),
    "api-start-labeling-set-again": Rest(
        202, after=STARTED, starts=1, ledger=("STARTING",), headers=("location", "retry-after", "idempotency-replayed")
    ),
    "api-start-labeling-set-other-payload": Rest(
        422, "Idempotency-Key reused with another payload", after=STARTED, starts=1, ledger=("STARTING",)
    ),
    "api-start-labeling-set-base64": Rest(202, starts=1, ledger=("STARTING",), headers=("location", "retry-after")),
    "api-start-custom-domain": Rest(202, starts=1, ledger=("STARTING",), headers=("location", "retry-after")),
    "api-start-import": Rest(202, starts=1, ledger=("STARTING",), headers=("location", "retry-after")),
    "api-start-import-replace": Rest(202, starts=1, ledger=("STARTING",), headers=("location", "retry-after")),
    "api-start-evaluation": Rest(
        202, after="api-start-import", starts=1, ledger=("QUEUED", "STARTING"), headers=("location", "retry-after")
    ),
    "api-start-export": Rest(
        202, after="api-start-import", starts=1, ledger=("QUEUED", "STARTING"), headers=("location", "retry-after")
    ),
    "api-missing-key": Rest(400, "Missing header", points_at=("Idempotency-Key",)),
    "api-malformed-key": Rest(400, "Malformed Idempotency-Key"),
    "api-malformed-json": Rest(400, "Malformed JSON"),
    "api-wrong-content-type": Rest(415, "Unsupported media type"),
    "api-invalid-fields": Rest(
        422, "Invalid request", points_at=("#/transformId", "#/inputS3Path", "#/replaceAllLabels", "#/inputPath")
    ),
    "api-snake-case-fields": Rest(
        422,
        "Invalid request",
        points_at=("#/transformId", "#/inputS3Path", "#/transform_id", "#/input_s3_path", "#/replace_all_labels"),
    ),
    "api-output-among-uploads": Rest(422, "Invalid request", points_at=("#/outputS3Path",)),
    "api-forbidden-path": Rest(422, "Invalid request", points_at=("#/outputS3Path",)),
    "api-unknown-transform": Rest(404, "Unknown transform", starts=1, ledger=("REFUSED",)),
    "api-get-task-run": Rest(200, after=STARTED, starts=1, ledger=("STARTING",)),
    "api-get-unknown-task-run": Rest(404, "Unknown task run"),
    "api-list-task-runs": Rest(200, after=STARTED, starts=1, ledger=("STARTING",)),
    "api-list-invalid-filters": Rest(422, "Invalid request", points_at=("status", "limit")),
    "api-list-unknown-parameter": Rest(422, "Invalid request", points_at=("transfromId",)),
    "api-list-invalid-cursor": Rest(400, "Invalid cursor", points_at=("cursor",)),
    "api-cancel-task-run": Rest(202, after=STARTED, starts=1, ledger=("STOPPING",)),
    "api-openapi": Rest(200),
    "api-wrong-method": Rest(405, "Method not allowed", headers=("allow",)),
    "api-unknown-path": Rest(404, "Unknown path"),
    "api-doubled-slash": Rest(404, "Unknown path"),
}


@pytest.mark.parametrize("name", names("api"))
def test_rest_sample_is_answered_as_documented(name: str, harness: HandlerHarness) -> None:
    expected = REST[name]
    if expected.after:
        harness.rest(sample(expected.after))

    response = harness.rest(sample(name))

    assert response.status == expected.status
    assert {header for header in response.headers if header != "content-type"} == set(expected.headers)
    assert sorted(item["status"] for item in harness.items()) == list(expected.ledger)
    assert len(harness.glue_start_calls()) == expected.starts
    if expected.title is None:
        assert response.headers["content-type"] == "application/json"
    else:
        assert response.headers["content-type"] == "application/problem+json"
        assert (response.body["title"], response.body["status"]) == (expected.title, expected.status)
        errors = response.body.get("errors", [])
        assert [error.get("pointer") or error["parameter"] for error in errors] == list(expected.points_at)


@dataclass(frozen=True)
class Command:
    """The result of a command: the recorded run, the number of Glue's runs, and the published event.

    If another command must come `after`, its own run, which starts in Glue, does not count.
    """

    status: str | None
    published: str | None
    runs: int = 0
    task_type: str = "IMPORT_LABELS"
    message: str = ""
    after: str | None = None


SET_STARTED = Command("STARTING", "TaskRunStarted", 1, "LABELING_SET_GENERATION")
IMPORT_STARTED = Command("STARTING", "TaskRunStarted", 1)
BUS = {
    "bus-start-labeling-set": SET_STARTED,
    "bus-start-labeling-set-without-key": SET_STARTED,
    "bus-start-import": IMPORT_STARTED,
    "bus-start-import-without-key": IMPORT_STARTED,
    "bus-start-evaluation": Command("QUEUED", None, task_type="EVALUATION", after="bus-start-import"),
    "bus-start-export": Command("QUEUED", None, task_type="EXPORT_LABELS", after="bus-start-import"),
    "bus-missing-field": Command("REFUSED", "TaskRunRefused", message="#/inputS3Path is required"),
    "bus-forbidden-path": Command("REFUSED", "TaskRunRefused", message="#/inputS3Path is not allowed here"),
    "bus-unknown-transform": Command(
        "REFUSED", "TaskRunRefused", task_type="LABELING_SET_GENERATION", message="Cannot find MLTransform"
    ),
    "bus-own-source": Command(None, None),
    "bus-upload": IMPORT_STARTED,
    "bus-upload-unversioned": IMPORT_STARTED,
    "bus-upload-dated-folder": IMPORT_STARTED,
    "bus-upload-temporary-file": Command("REFUSED", "TaskRunRefused", message="line 1"),
    "bus-upload-doubled-slash": Command("REFUSED", "TaskRunRefused", message="#/inputS3Path must not have empty"),
    "bus-upload-forbidden-bucket": Command(None, None),
    "bus-start-import-archived": Command("REFUSED", "TaskRunRefused", message="# was sent at 2025-01-02T03:04:05+00:00"),
    "bus-not-unicode": Command(
        "REFUSED", "TaskRunRefused", task_type="LABELING_SET_GENERATION", message="#/outputS3Path is not valid Unicode"
    ),
    "bus-upload-no-label-file": Command(None, None),
}


@pytest.mark.parametrize("name", names("bus"))
def test_bus_sample_ends_as_documented_and_a_second_delivery_changes_nothing(name: str, harness: HandlerHarness) -> None:
    expected = BUS[name]
    if expected.after:
        harness.command(sample(expected.after))
        harness.deliver_stream()
        harness.published_events()
    earlier, earlier_runs = harness.items(), len(harness.glue_runs())

    for _ in range(2):
        harness.command(sample(name))
    harness.deliver_stream()

    items = [item for item in harness.items() if item not in earlier]
    assert [(item["status"], item["taskType"]) for item in items] == (
        [(expected.status, expected.task_type)] if expected.status else []
    )
    assert all(expected.message in item.get("errorMessage", "") for item in items)
    assert len(harness.glue_runs()) - earlier_runs == expected.runs
    assert [event["detail-type"] for event in harness.published_events()] == (
        [expected.published] if expected.published else []
    )


@pytest.mark.parametrize("name", names("schedule"))
def test_schedule_sample_runs_one_round_of_the_reconciler(name: str, harness: HandlerHarness) -> None:
    """The transform of the samples is in the part of `schedule-part`."""
    harness.rest(sample(STARTED))
    summary = harness.reconcile(sample(name))
    ages = {name: summary.pop(name) for name in ("oldest_open_seconds", "oldest_queued_seconds", "oldest_unconfirmed_seconds")}
    assert summary == {"transforms": 1, "failed": 0, "changed": 0, "ended": 0, "started": 0, "queued": 0}
    assert (ages["oldest_open_seconds"] >= 0, ages["oldest_queued_seconds"], ages["oldest_unconfirmed_seconds"]) == (True, 0, 0)


STREAM = {
    "stream-run-accepted": [],
    "stream-run-started": ["TaskRunStarted"],
    "stream-run-running": [],
    "stream-run-succeeded": ["TaskRunSucceeded"],
    "stream-run-failed": ["TaskRunFailed"],
    "stream-command-refused": ["TaskRunRefused"],
    "stream-no-run": [],
    "stream-run-expired": [],
    "stream-batch": ["TaskRunStarted", "TaskRunSucceeded", "TaskRunRefused"],
}


@pytest.mark.parametrize("name", names("stream"))
def test_stream_sample_is_announced_as_documented(name: str, harness: HandlerHarness) -> None:
    assert harness.announce(sample(name)) == []
    assert [event["detail-type"] for event in harness.published_events()] == STREAM[name]


@pytest.mark.parametrize("name", names("stream"))
def test_stream_sample_has_items_as_the_ledger_writes_them(name: str) -> None:
    images = [
        record["dynamodb"][image]
        for record in sample(name)["Records"]
        for image in ("OldImage", "NewImage")
        if image in record["dynamodb"]
    ]
    assert images
    for image in filter(is_run, images):
        assert to_item(from_item(image), timedelta(days=90)) == image


def model_of(name: str) -> Any:  # noqa: ANN401  mypy does not see Powertools' models as types
    if name.startswith("bus-upload"):
        return S3EventNotificationEventBridgeModel
    return {"api": APIGatewayProxyEventModel, "bus": EventBridgeModel, "stream": DynamoDBStreamModel}[name.partition("-")[0]]


@pytest.mark.parametrize("name", [name for name in names() if not name.startswith("schedule")])
def test_sample_has_the_form_that_aws_sends(name: str) -> None:
    model_of(name).model_validate(sample(name))


def test_readme_lists_every_sample_with_its_function() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| (\w+) \| .+ \|$", (FOLDER / "README.md").read_text(), re.MULTILINE)
    assert sorted(rows) == [(name, FUNCTIONS[name.partition("-")[0]]) for name in names()]


def test_functions_of_the_template_have_the_tested_handlers() -> None:
    assert handler_strings() == {
        "ApiFunction": "handlers.api.handler",
        "LabelFunction": "handlers.label.handler",
        "BusFunction": "handlers.bus.handler",
        "ScheduleFunction": "handlers.schedule.handler",
        "AnnounceFunction": "handlers.announce.handler",
    }


def test_changing_a_sample_does_not_change_the_next_copy() -> None:
    changed: dict[str, Any] = sample(STARTED)
    set_header(changed, "Idempotency-Key", None)
    assert "Idempotency-Key" not in json.dumps(changed)
    assert "Idempotency-Key" in json.dumps(sample(STARTED))


def test_sample_uploads_name_the_label_file_of_sam_local() -> None:
    content = label_file(load_febrl())
    assert SAMPLE_ETAGS[0] == md5(content, usedforsecurity=False).hexdigest()
    assert SAMPLE_ETAGS[1] == md5(b"\x05alice", usedforsecurity=False).hexdigest()
