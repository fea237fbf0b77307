"""GET and cancellation: a run in every state, lists page by page, and stopping what was started."""

from typing import Any

import pytest

from core.runs import run_id
from local.glue.faults import CallFault, FaultPlan
from tests.component.handler_harness import HandlerHarness
from tests.component.samples import BUCKET, TRANSFORM, rest_sample, sample

SET, LIST = "api-start-labeling-set", "api-list-task-runs"


def started(harness: HandlerHarness, key: str, name: str = SET) -> dict[str, Any]:
    body: dict[str, Any] = harness.rest(rest_sample(name, key=key)).body
    return body


def cancellation(run: dict[str, Any]) -> dict[str, Any]:
    return rest_sample("api-cancel-task-run", path=f"/v1/task-runs/{run['id']}/cancellation")


def pages(harness: HandlerHarness, **query: str) -> list[list[str]]:
    """The ids, page by page, as a client gets them that follows `next`."""
    found = []
    more: dict[str, str] = {}
    while True:
        answer = harness.rest(rest_sample(LIST, query=query | more))
        assert answer.status == 200
        found.append([run["id"] for run in answer.body["items"]])
        if answer.body["next"] is None:
            return found
        more = {"cursor": answer.body["next"]}


def test_callers_neither_see_nor_cancel_each_others_runs(harness: HandlerHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHARE_RUNS", "false")
    run = started(harness, "mine")
    assert pages(harness) == [[run["id"]]]
    paths = {"api-get-task-run": f"/v1/task-runs/{run['id']}", "api-cancel-task-run": f"/v1/task-runs/{run['id']}/cancellation"}
    for name, path in paths.items():
        answer = harness.rest(rest_sample(name, path=path, role="another-team"))
        assert (answer.status, answer.body["title"]) == (404, "Unknown task run")
    assert harness.rest(rest_sample(LIST, query={}, role="another-team")).body["items"] == []
    assert harness.item()["status"] == "STARTING"
    assert harness.rest(cancellation(run)).status == 202


def test_a_list_goes_newest_first_page_by_page_and_skips_nothing(harness: HandlerHarness) -> None:
    ids = [started(harness, f"key-{number}")["id"] for number in range(5)]
    expected = [[ids[4], ids[3]], [ids[2], ids[1]], [ids[0]]]
    assert pages(harness, limit="2") == expected
    assert pages(harness, limit="2", transformId=TRANSFORM) == expected


def test_a_list_is_filtered_by_transform_status_and_kind(harness: HandlerHarness) -> None:
    runs = [started(harness, f"key-{number}") for number in range(4)]
    imported = started(harness, "import", "api-start-import")
    assert pages(harness, status="STARTING") == [[run["id"] for run in reversed(runs[:3])]]
    assert pages(harness, status="QUEUED", taskType="IMPORT_LABELS") == [[imported["id"]]]
    assert pages(harness, transformId="tfm-of-nobody") == [[]]


def test_a_cursor_of_another_listing_is_a_400(harness: HandlerHarness) -> None:
    for number in range(3):
        started(harness, f"key-{number}")
    cursor = harness.rest(rest_sample(LIST, query={"limit": "2"})).body["next"]
    answer = harness.rest(rest_sample(LIST, query={"limit": "2", "status": "STARTING", "cursor": cursor}))
    assert (answer.status, answer.body["title"]) == (400, "Invalid cursor")


def test_a_run_can_be_read_by_the_location_of_its_answer(harness: HandlerHarness) -> None:
    answer = harness.rest(sample(SET))
    read = harness.rest(rest_sample("api-get-task-run", path=answer.headers["location"]))
    assert (read.status, read.body) == (200, answer.body)


def test_a_run_in_glue_is_cancelled_there_and_told_of_as_stopped(harness: HandlerHarness) -> None:
    run = started(harness, "key")
    answer = harness.rest(cancellation(run))
    harness.tick()
    harness.deliver_stream()

    assert answer.status == 202
    assert "CancelMLTaskRun" in harness.calls
    assert [one["Status"] for one in harness.glue_runs()] == ["STOPPED"]
    assert harness.item()["status"] == "STOPPED"
    assert [event["detail-type"] for event in harness.on_bus()] == ["TaskRunStarted", "TaskRunStopped"]
    over = harness.rest(cancellation(run))
    assert (over.status, over.body["title"]) == (409, "Task run already ended")


def test_a_queued_run_is_cancelled_before_glue_is_asked(harness: HandlerHarness) -> None:
    runs = [started(harness, f"key-{number}") for number in range(4)]
    harness.calls.clear()
    answer = harness.rest(cancellation(runs[3]))
    harness.deliver_stream()

    assert (answer.status, answer.body["status"]) == (202, "CANCELLED")
    assert not any("ML" in call for call in harness.calls)
    assert [event["detail-type"] for event in harness.on_bus()][-1] == "TaskRunCancelled"
    assert len(harness.glue_runs()) == 3


def test_a_run_in_doubt_is_cancelled_once_the_doubt_is_settled(harness: HandlerHarness) -> None:
    lost = CallFault("StartMLLabelingSetGenerationTaskRun", "lost-reply")
    harness.glue.faults.apply(FaultPlan((lost,), hold_runs=True))
    run = started(harness, "key")
    assert harness.rest(cancellation(run)).status == 202
    for _ in range(2):
        harness.tick()
    assert [one["Status"] for one in harness.glue_runs()] == ["STOPPED"]
    assert harness.item()["status"] == "STOPPED"


def test_a_cancellation_that_glue_does_not_take_is_a_503(harness: HandlerHarness) -> None:
    run = started(harness, "key")
    harness.glue.faults.apply(FaultPlan((CallFault("CancelMLTaskRun", "internal-error", times=9),), hold_runs=True))
    answer = harness.rest(cancellation(run))
    assert (answer.status, answer.body["title"]) == (503, "Try again later")
    assert harness.item()["status"] == "STARTING"


@pytest.mark.parametrize("name", ["api-get-unknown-task-run", "api-cancel-task-run"])
def test_an_unknown_run_is_a_404(harness: HandlerHarness, name: str) -> None:
    assert harness.rest(sample(name)).body["title"] == "Unknown task run"


def test_a_refused_command_without_a_transform_can_be_read_and_listed(harness: HandlerHarness) -> None:
    event = sample("bus-missing-field")
    event["detail"] = {"inputS3Path": f"s3://{BUCKET}/x.csv"}
    harness.event(event)
    id_ = run_id("events:123456789012:com.example.planner", f"refused {event['id']}")
    read = harness.rest(rest_sample("api-get-task-run", path=f"/v1/task-runs/{id_}")).body
    assert (read["transformId"], read["status"], read["error"]["code"]) == (None, "REFUSED", "INVALID_COMMAND")
    assert pages(harness, status="REFUSED") == [[id_]]
