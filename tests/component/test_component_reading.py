"""GET and cancellation: a run in every state, lists page by page, and stopping what was started."""

from typing import Any

import pytest

from core.runs import run_id
from local.glue.faults import CallFault, FaultPlan
from tests.component.handler_harness import Doors
from tests.component.samples import BUCKET, TRANSFORM, rest_sample, sample

SET, LIST = "api-start-labeling-set", "api-list-task-runs"


def started(doors: Doors, key: str, name: str = SET) -> dict[str, Any]:
    body: dict[str, Any] = doors.rest(rest_sample(name, key=key)).body
    return body


def cancellation(run: dict[str, Any]) -> dict[str, Any]:
    return rest_sample("api-cancel-task-run", path=f"/v1/task-runs/{run['id']}/cancellation")


def pages(doors: Doors, **query: str) -> list[list[str]]:
    """The ids, page by page, as a client gets them that follows `next`."""
    found = []
    more: dict[str, str] = {}
    while True:
        answer = doors.rest(rest_sample(LIST, query=query | more))
        assert answer.status == 200
        found.append([run["id"] for run in answer.body["items"]])
        if answer.body["next"] is None:
            return found
        more = {"cursor": answer.body["next"]}


def test_callers_neither_see_nor_cancel_each_others_runs(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHARE_RUNS", "false")
    run = started(doors, "mine")
    assert pages(doors) == [[run["id"]]]
    paths = {"api-get-task-run": f"/v1/task-runs/{run['id']}", "api-cancel-task-run": f"/v1/task-runs/{run['id']}/cancellation"}
    for name, path in paths.items():
        answer = doors.rest(rest_sample(name, path=path, role="another-team"))
        assert (answer.status, answer.body["title"]) == (404, "Unknown task run")
    assert doors.rest(rest_sample(LIST, query={}, role="another-team")).body["items"] == []
    assert doors.item()["status"] == "STARTING"
    assert doors.rest(cancellation(run)).status == 202


def test_a_list_goes_newest_first_page_by_page_and_skips_nothing(doors: Doors) -> None:
    ids = [started(doors, f"key-{number}")["id"] for number in range(5)]
    expected = [[ids[4], ids[3]], [ids[2], ids[1]], [ids[0]]]
    assert pages(doors, limit="2") == expected
    assert pages(doors, limit="2", transformId=TRANSFORM) == expected


def test_a_list_is_filtered_by_transform_status_and_kind(doors: Doors) -> None:
    runs = [started(doors, f"key-{number}") for number in range(4)]
    imported = started(doors, "import", "api-start-import")
    assert pages(doors, status="STARTING") == [[run["id"] for run in reversed(runs[:3])]]
    assert pages(doors, status="QUEUED", taskType="IMPORT_LABELS") == [[imported["id"]]]
    assert pages(doors, transformId="tfm-of-nobody") == [[]]


def test_a_cursor_of_another_listing_is_a_400(doors: Doors) -> None:
    for number in range(3):
        started(doors, f"key-{number}")
    cursor = doors.rest(rest_sample(LIST, query={"limit": "2"})).body["next"]
    answer = doors.rest(rest_sample(LIST, query={"limit": "2", "status": "STARTING", "cursor": cursor}))
    assert (answer.status, answer.body["title"]) == (400, "Invalid cursor")


def test_a_run_can_be_read_by_the_location_of_its_answer(doors: Doors) -> None:
    answer = doors.rest(sample(SET))
    read = doors.rest(rest_sample("api-get-task-run", path=answer.headers["location"]))
    assert (read.status, read.body) == (200, answer.body)


def test_a_run_in_glue_is_cancelled_there_and_told_of_as_stopped(doors: Doors) -> None:
    run = started(doors, "key")
    answer = doors.rest(cancellation(run))
    doors.tick()
    doors.deliver_stream()

    assert answer.status == 202
    assert "CancelMLTaskRun" in doors.calls
    assert [one["Status"] for one in doors.glue_runs()] == ["STOPPED"]
    assert doors.item()["status"] == "STOPPED"
    assert [event["detail-type"] for event in doors.on_bus()] == ["TaskRunStarted", "TaskRunStopped"]
    over = doors.rest(cancellation(run))
    assert (over.status, over.body["title"]) == (409, "Task run already over")


def test_a_queued_run_is_cancelled_before_glue_is_asked(doors: Doors) -> None:
    runs = [started(doors, f"key-{number}") for number in range(4)]
    doors.calls.clear()
    answer = doors.rest(cancellation(runs[3]))
    doors.deliver_stream()

    assert (answer.status, answer.body["status"]) == (202, "CANCELLED")
    assert not any("ML" in call for call in doors.calls)
    assert [event["detail-type"] for event in doors.on_bus()][-1] == "TaskRunCancelled"
    assert len(doors.glue_runs()) == 3


def test_a_run_in_doubt_is_cancelled_once_the_doubt_is_settled(doors: Doors) -> None:
    lost = CallFault("StartMLLabelingSetGenerationTaskRun", "lost-reply")
    doors.glue.faults.switch_to(FaultPlan((lost,), hold_runs=True))
    run = started(doors, "key")
    assert doors.rest(cancellation(run)).status == 202
    for _ in range(2):
        doors.tick()
    assert [one["Status"] for one in doors.glue_runs()] == ["STOPPED"]
    assert doors.item()["status"] == "STOPPED"


def test_a_cancellation_that_glue_does_not_take_is_a_503(doors: Doors) -> None:
    run = started(doors, "key")
    doors.glue.faults.switch_to(FaultPlan((CallFault("CancelMLTaskRun", "internal-error", times=9),), hold_runs=True))
    answer = doors.rest(cancellation(run))
    assert (answer.status, answer.body["title"]) == (503, "Try again later")
    assert doors.item()["status"] == "STARTING"


@pytest.mark.parametrize("name", ["api-get-unknown-task-run", "api-cancel-task-run"])
def test_an_unknown_run_is_a_404(doors: Doors, name: str) -> None:
    assert doors.rest(sample(name)).body["title"] == "Unknown task run"


def test_a_refused_command_without_a_transform_can_be_read_and_listed(doors: Doors) -> None:
    event = sample("bus-missing-field")
    event["detail"] = {"inputS3Path": f"s3://{BUCKET}/x.csv"}
    doors.event(event)
    id_ = run_id("events:123456789012:com.example.planner", f"refused {event['id']}")
    read = doors.rest(rest_sample("api-get-task-run", path=f"/v1/task-runs/{id_}")).body
    assert (read["transformId"], read["status"], read["error"]["code"]) == (None, "REFUSED", "INVALID_COMMAND")
    assert pages(doors, status="REFUSED") == [[id_]]
