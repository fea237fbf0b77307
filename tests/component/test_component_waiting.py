"""What a queued run says about why it waits."""

from tests.component.handler_harness import HandlerHarness
from tests.component.sample_events import TRANSFORM, get_run, rest_sample

SET, IMPORT = "api-start-labeling-set", "api-start-import"


def test_queued_runs_name_reason_and_place(harness: HandlerHarness) -> None:
    bodies = [harness.rest(rest_sample(SET, key=f"key-{number}")).body for number in range(5)]
    assert [body["waitingFor"] for body in bodies[:3]] == [None] * 3
    waits = [harness.rest(get_run(body["id"])).body["waitingFor"] for body in bodies[3:]]
    assert [(wait["reason"], wait["position"]) for wait in waits] == [("GLUE_LIMIT", 1), ("QUEUE", 2)]
    assert all(wait["since"] and wait["message"] for wait in waits)
    listed = harness.rest(rest_sample("api-list-task-runs", query={"transformId": TRANSFORM, "status": "QUEUED"})).body["items"]
    assert [item["waitingFor"] for item in listed] == waits[::-1]


def test_second_import_waits_for_the_open_one(harness: HandlerHarness) -> None:
    bodies = [harness.rest(rest_sample(IMPORT, key=f"key-{number}")).body for number in range(2)]
    assert bodies[0]["waitingFor"] is None
    assert (bodies[1]["waitingFor"]["reason"], bodies[1]["waitingFor"]["position"]) == ("OPEN_IMPORT", 1)
    harness.run_glue_until("FAILED", "FAILED")  # the samples' table has no rows that could be labeled
    assert harness.rest(get_run(bodies[1]["id"])).body["waitingFor"] is None
