"""`sam local invoke` for every sample event: real containers do what events/README.md says."""

import pytest

from tests.component.handler_harness import Response
from tests.component.sample_events import names
from tests.component.test_component_sample_events import BUS, REST, STARTED, STREAM
from tests.e2e.sam_local_project import SamLocalProject

CANCELLED = "api-cancel-task-run"


@pytest.mark.parametrize("name", names("api"))
def test_container_responds_to_a_rest_sample_as_documented(name: str, clean_project: SamLocalProject) -> None:
    expected = REST[name]
    earlier_ids = clean_project.glue_run_ids()
    if expected.after:
        clean_project.invoke_deployed(expected.after)

    response = Response.of(clean_project.invoke(name))

    assert response.status == expected.status, response
    assert {header for header in response.headers if header != "content-type"} == set(expected.headers)
    assert response.headers["content-type"] == ("application/problem+json" if expected.title else "application/json")
    assert response.body.get("title") == expected.title
    errors = response.body.get("errors", [])
    assert [error.get("pointer") or error["parameter"] for error in errors] == list(expected.points_at)
    started = [status for status in expected.ledger if status not in ("REFUSED", "QUEUED")]
    if name == CANCELLED:
        assert clean_project.new_statuses(earlier_ids) in (["STOPPING"], ["STOPPED"])
    else:
        assert clean_project.new_statuses(earlier_ids) == started
        assert sorted(item["status"] for item in clean_project.items()) == list(expected.ledger)


@pytest.mark.parametrize("name", names("bus"))
def test_container_handles_a_command_or_an_upload_as_documented(name: str, clean_project: SamLocalProject) -> None:
    expected = BUS[name]
    if expected.after:
        clean_project.invoke_deployed(expected.after)
    earlier, earlier_ids = clean_project.items(), clean_project.glue_run_ids()

    assert clean_project.invoke(name) is None

    items = [item for item in clean_project.items() if item not in earlier]
    assert [(item["status"], item["taskType"]) for item in items] == (
        [(expected.status, expected.task_type)] if expected.status else []
    )
    assert all(expected.message in item.get("errorMessage", "") for item in items)
    assert len(clean_project.new_statuses(earlier_ids)) == expected.runs


def test_container_runs_a_round_of_the_reconciler(clean_project: SamLocalProject) -> None:
    clean_project.invoke_deployed(STARTED)
    summary = clean_project.invoke("schedule-tick")
    ages = {name: summary.pop(name) for name in ("oldest_open_seconds", "oldest_queued_seconds", "oldest_unconfirmed_seconds")}
    assert summary == {"transforms": 1, "failed": 0, "changed": 0, "ended": 0, "started": 0, "queued": 0}
    assert (ages["oldest_open_seconds"] >= 0, ages["oldest_queued_seconds"], ages["oldest_unconfirmed_seconds"]) == (True, 0, 0)


@pytest.mark.parametrize("name", names("stream"))
def test_container_publishes_a_change_as_documented(name: str, clean_project: SamLocalProject) -> None:
    assert clean_project.invoke(name) == {"batchItemFailures": []}
    assert clean_project.events(len(STREAM[name])) == sorted(STREAM[name])
