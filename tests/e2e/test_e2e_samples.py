"""`sam local invoke` for every sample in events/: real containers do what events/README.md says."""

import pytest

from tests.component.handler_harness import Answer
from tests.component.samples import names
from tests.component.test_component_samples import BUS, REST, STARTED, STREAM
from tests.e2e.sam_local_project import Laptop

CANCELLED = "api-cancel-task-run"


@pytest.mark.parametrize("name", names("api"))
def test_container_answers_a_rest_sample_as_promised(name: str, quiet: Laptop) -> None:
    expected = REST[name]
    before = quiet.known_to_glue()
    if expected.after:
        quiet.deployed(expected.after)

    answer = Answer.of(quiet.invoke(name))

    assert answer.status == expected.status, answer
    assert {one for one in answer.headers if one != "content-type"} == set(expected.headers)
    assert answer.headers["content-type"] == ("application/problem+json" if expected.title else "application/json")
    assert answer.body.get("title") == expected.title
    errors = answer.body.get("errors", [])
    assert [one.get("pointer") or one["parameter"] for one in errors] == list(expected.points_at)
    started = [status for status in expected.ledger if status != "REFUSED"]
    if name == CANCELLED:
        assert quiet.new_in_glue(before) in (["STOPPING"], ["STOPPED"])
    else:
        assert quiet.new_in_glue(before) == started
        assert [item["status"] for item in quiet.items()] == list(expected.ledger)


@pytest.mark.parametrize("name", names("bus"))
def test_container_takes_a_command_or_an_upload_as_promised(name: str, quiet: Laptop) -> None:
    expected = BUS[name]
    before = quiet.known_to_glue()

    assert quiet.invoke(name) is None

    runs = [(item["status"], item["taskType"]) for item in quiet.items()]
    assert runs == ([(expected.status, expected.task_type)] if expected.status else [])
    assert all(expected.says in item.get("errorMessage", "") for item in quiet.items())
    assert len(quiet.new_in_glue(before)) == expected.runs


def test_container_runs_a_round_of_the_reconciler(quiet: Laptop) -> None:
    quiet.deployed(STARTED)
    summary = quiet.invoke("schedule-tick")
    ages = {name: summary.pop(name) for name in ("oldest_open_seconds", "oldest_queued_seconds", "oldest_unconfirmed_seconds")}
    assert summary == {"transforms": 1, "failed": 0, "changed": 0, "ended": 0, "started": 0, "queued": 0}
    assert (ages["oldest_open_seconds"] >= 0, ages["oldest_queued_seconds"], ages["oldest_unconfirmed_seconds"]) == (True, 0, 0)


@pytest.mark.parametrize("name", names("stream"))
def test_container_announces_a_change_as_promised(name: str, quiet: Laptop) -> None:
    assert quiet.invoke(name) == {"batchItemFailures": []}
    assert quiet.events(len(STREAM[name])) == sorted(STREAM[name])
