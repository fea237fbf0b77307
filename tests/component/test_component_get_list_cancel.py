"""GET of one run, lists page by page, and cancellation."""

from typing import Any
from urllib.parse import urljoin

import pytest

from core.runs import run_id
from local.glue.faults import CallFault, FaultPlan
from tests.component.handler_harness import HandlerHarness
from tests.component.sample_events import BUCKET, TRANSFORM, cancel_run, get_run, rest_sample, sample

SET, LIST = "api-start-labeling-set", "api-list-task-runs"


def started(harness: HandlerHarness, key: str, name: str = SET) -> dict[str, Any]:
    body: dict[str, Any] = harness.rest(rest_sample(name, key=key)).body
    return body


def pages(harness: HandlerHarness, **query: str) -> list[list[str]]:
    """The ids of each page, for a client that follows `next`."""
    ids = []
    cursor: dict[str, str] = {}
    while True:
        response = harness.rest(rest_sample(LIST, query=query | cursor))
        assert response.status == 200
        ids.append([run["id"] for run in response.body["items"]])
        if response.body["next"] is None:
            return ids
        cursor = {"cursor": response.body["next"]}


def test_callers_can_neither_read_nor_cancel_runs_of_others(harness: HandlerHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPERATORS")
    run = started(harness, "mine")
    assert pages(harness) == [[run["id"]]]
    for request in (get_run(run["id"], role="another-team"), cancel_run(run["id"], role="another-team")):
        response = harness.rest(request)
        assert (response.status, response.body["title"]) == (404, "Unknown task run")
    assert harness.rest(rest_sample(LIST, query={}, role="another-team")).body["items"] == []
    assert harness.only_item()["status"] == "STARTING"
    assert harness.rest(cancel_run(run["id"])).status == 202


def test_operators_read_and_cancel_runs_of_uploads_and_events(harness: HandlerHarness) -> None:
    for name in ("bus-upload", "bus-start-labeling-set"):
        harness.command(sample(name))
    ids = {item["id"] for item in harness.items()}
    assert {id_ for page in pages(harness) for id_ in page} == ids
    assert harness.rest(rest_sample(LIST, query={}, role="another-team")).body["items"] == []
    for id_ in ids:
        assert harness.rest(cancel_run(id_, role="another-team")).status == 404
        assert harness.rest(get_run(id_)).status == 200
        assert harness.rest(cancel_run(id_)).status == 202


def test_everybody_reads_all_runs_if_runs_are_shared(harness: HandlerHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPERATORS")
    monkeypatch.setenv("SHARE_RUNS", "true")
    run = started(harness, "mine")
    assert harness.rest(get_run(run["id"], role="another-team")).status == 200


def test_list_is_newest_first_and_complete_across_pages(harness: HandlerHarness) -> None:
    ids = [started(harness, f"key-{number}")["id"] for number in range(5)]
    expected = [[ids[4], ids[3]], [ids[2], ids[1]], [ids[0]]]
    assert pages(harness, limit="2") == expected
    assert pages(harness, limit="2", transformId=TRANSFORM) == expected


def test_list_is_filtered_by_transform_status_and_task_type(harness: HandlerHarness) -> None:
    runs = [started(harness, f"key-{number}") for number in range(4)]
    imported = started(harness, "import", "api-start-import")
    assert pages(harness, status="STARTING") == [[run["id"] for run in reversed(runs[:3])]]
    assert pages(harness, status="QUEUED", taskType="IMPORT_LABELS") == [[imported["id"]]]
    assert pages(harness, transformId="tfm-of-nobody") == [[]]


def test_cursor_of_another_listing_returns_400(harness: HandlerHarness) -> None:
    for number in range(3):
        started(harness, f"key-{number}")
    cursor = harness.rest(rest_sample(LIST, query={"limit": "2"})).body["next"]
    response = harness.rest(rest_sample(LIST, query={"limit": "2", "status": "STARTING", "cursor": cursor}))
    assert (response.status, response.body["title"]) == (400, "Invalid cursor")


def test_run_can_be_read_at_the_location_header(harness: HandlerHarness) -> None:
    response = harness.rest(sample(SET))
    read = harness.rest(rest_sample("api-get-task-run", path=urljoin("/v1/labeling-set-runs", response.headers["location"])))
    assert (read.status, read.body) == (200, response.body)


def test_run_in_glue_is_cancelled_there_and_announced_as_stopped(harness: HandlerHarness) -> None:
    run = started(harness, "key")
    response = harness.rest(cancel_run(run["id"]))
    harness.reconcile()
    harness.deliver_stream()

    assert response.status == 202
    assert "CancelMLTaskRun" in harness.calls
    assert [glue_run["Status"] for glue_run in harness.glue_runs()] == ["STOPPED"]
    assert harness.only_item()["status"] == "STOPPED"
    assert [event["detail-type"] for event in harness.published_events()] == ["TaskRunStarted", "TaskRunStopped"]
    second = harness.rest(cancel_run(run["id"]))
    assert (second.status, second.body["title"]) == (409, "Task run already ended")


def test_queued_run_is_cancelled_without_calling_glue(harness: HandlerHarness) -> None:
    runs = [started(harness, f"key-{number}") for number in range(4)]
    harness.calls.clear()
    response = harness.rest(cancel_run(runs[3]["id"]))
    harness.deliver_stream()

    assert (response.status, response.body["status"]) == (202, "CANCELLED")
    assert not any("ML" in call for call in harness.calls)
    assert [event["detail-type"] for event in harness.published_events()][-1] == "TaskRunCancelled"
    assert len(harness.glue_runs()) == 3


def test_unconfirmed_run_is_cancelled_once_it_is_confirmed(harness: HandlerHarness) -> None:
    lost = CallFault("StartMLLabelingSetGenerationTaskRun", "lost-reply")
    harness.glue.faults.apply(FaultPlan((lost,), hold_runs=True))
    run = started(harness, "key")
    assert harness.rest(cancel_run(run["id"])).status == 202
    for _ in range(2):
        harness.reconcile()
    assert [glue_run["Status"] for glue_run in harness.glue_runs()] == ["STOPPED"]
    assert harness.only_item()["status"] == "STOPPED"


def test_cancellation_that_fails_in_glue_returns_503(harness: HandlerHarness) -> None:
    run = started(harness, "key")
    harness.glue.faults.apply(FaultPlan((CallFault("CancelMLTaskRun", "internal-error", times=9),), hold_runs=True))
    response = harness.rest(cancel_run(run["id"]))
    assert (response.status, response.body["title"]) == (503, "Try again later")
    assert harness.only_item()["status"] == "STARTING"


@pytest.mark.parametrize("name", ["api-get-unknown-task-run", "api-cancel-task-run"])
def test_unknown_run_returns_404(harness: HandlerHarness, name: str) -> None:
    assert harness.rest(sample(name)).body["title"] == "Unknown task run"


def test_refused_command_without_a_transform_can_be_read_and_listed(harness: HandlerHarness) -> None:
    event = sample("bus-missing-field")
    event["detail"] = {"inputS3Path": f"s3://{BUCKET}/x.csv"}
    harness.command(event)
    id_ = run_id("events:123456789012:com.example.planner", f"refused {event['id']}")
    read = harness.rest(get_run(id_)).body
    assert (read["transformId"], read["status"], read["error"]["code"]) == (None, "REFUSED", "INVALID_COMMAND")
    assert pages(harness, status="REFUSED") == [[id_]]
