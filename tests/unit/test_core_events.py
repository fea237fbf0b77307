"""Which events a change causes, and their ids and content."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.events import DetailType, detail_types, event_detail, event_id
from core.requests import new_run
from core.runs import IN_GLUE, Run, Status
from core.views import TaskRun
from tests.fakes.service import Service, import_command, labeling_command

NOW = datetime(2026, 11, 22, 15, 4, 5, 123456, tzinfo=UTC)
RUN = new_run(labeling_command(), NOW)

# CONTRACT.md, "Events out".
EVENT_BY_STATUS = {
    Status.SUCCEEDED: "TaskRunSucceeded",
    Status.FAILED: "TaskRunFailed",
    Status.STOPPED: "TaskRunStopped",
    Status.TIMEOUT: "TaskRunTimedOut",
    Status.REFUSED: "TaskRunRefused",
    Status.START_FAILED: "TaskRunStartFailed",
    Status.CANCELLED: "TaskRunCancelled",
    Status.LOST: "TaskRunLost",
}
RUNS = st.builds(
    lambda status, started, attempt: replace(RUN, status=status, task_run_id="tsk-1" if started else None, attempt=attempt),
    st.sampled_from(list(Status)),
    st.booleans(),
    st.integers(min_value=1, max_value=3),
)


def test_detail_types_match_the_contract() -> None:
    assert {*EVENT_BY_STATUS.values(), "TaskRunStarted", "LabelsSubmitted"} == {str(kind) for kind in DetailType}


@pytest.mark.parametrize(("status", "event"), EVENT_BY_STATUS.items())
def test_every_terminal_status_has_an_event(status: Status, event: str) -> None:
    assert detail_types(RUN, replace(RUN, status=status)) == [event]


@pytest.mark.parametrize("status", [status for status in Status if not status.is_terminal])
def test_other_statuses_have_no_event(status: Status) -> None:
    assert detail_types(RUN, replace(RUN, status=status)) == []


@pytest.mark.parametrize("status", sorted(IN_GLUE))
def test_started_event_is_sent_once_the_task_run_id_is_known(status: Status) -> None:
    started = replace(RUN, status=status, task_run_id="tsk-1")
    assert detail_types(RUN, started) == [DetailType.STARTED]
    assert detail_types(started, replace(started, status=Status.STOPPING)) == []


def test_run_found_after_its_end_sends_both_events() -> None:
    ended = replace(RUN, status=Status.FAILED, task_run_id="tsk-1")
    assert detail_types(replace(RUN, status=Status.UNCONFIRMED), ended) == [DetailType.STARTED, DetailType.FAILED]


def test_command_refused_on_arrival_sends_an_event() -> None:
    assert detail_types(None, replace(RUN, status=Status.REFUSED)) == [DetailType.REFUSED]


@given(RUNS)
def test_write_without_change_sends_no_event(run: Run) -> None:
    assert detail_types(run, run) == []


@given(st.lists(RUNS, min_size=1, max_size=6))
def test_any_history_of_an_attempt_sends_its_start_and_its_end(history: list[Run]) -> None:
    """Whatever the steps in between, the last state's start and end were sent."""
    attempts = [run for run in history if run.attempt == history[-1].attempt]
    sent = [kind for before, after in zip([None, *attempts], attempts, strict=False) for kind in detail_types(before, after)]
    last = attempts[-1]
    assert DetailType.STARTED in sent or not last.task_run_id
    assert not last.status.is_terminal or EVENT_BY_STATUS[last.status] in sent


IDS = st.tuples(st.text("0123456789abcdef", min_size=32, max_size=32), st.integers(1, 50), st.sampled_from(list(DetailType)))


@given(IDS, IDS)
def test_event_id_depends_on_run_id_attempt_and_detail_type(
    left: tuple[str, int, DetailType], right: tuple[str, int, DetailType]
) -> None:
    ids = [event_id(replace(RUN, id=id_, attempt=attempt), kind) for id_, attempt, kind in (left, right)]
    assert (ids[0] == ids[1]) == (left == right)
    assert all(len(id_) == 32 and int(id_, 16) >= 0 for id_ in ids)


@given(RUNS, st.sampled_from(list(DetailType)))
def test_event_id_does_not_depend_on_other_fields(run: Run, kind: DetailType) -> None:
    later = replace(run, status=Status.LOST, requested_on=NOW, revision="another", causation_id="another")
    assert event_id(run, kind) == event_id(later, kind)


def test_event_has_metadata_and_the_run() -> None:
    run = replace(RUN, status=Status.LOST, changed_on=NOW, correlation_id="c-1", causation_id="m-1")
    sent = event_detail(run, DetailType.LOST).model_dump(mode="json", by_alias=True)
    assert list(sent) == ["metadata", "data"]
    assert sent["metadata"] == {
        "eventId": event_id(run, DetailType.LOST),
        "version": "1",
        "occurredAt": "2026-11-22T15:04:05.123Z",
        "correlationId": "c-1",
        "causationId": "m-1",
    }
    assert (sent["data"]["id"], sent["data"]["status"]) == (run.id, "LOST")


def test_event_of_a_labeling_set_has_its_full_path(service: Service) -> None:
    run = service.start_run(labeling_command())
    service.deliver()
    data = service.bus.events[0].detail.data
    assert isinstance(data, TaskRun)
    assert data.output_s3_path == run.path
    assert service.bus.events[0].transform_id == "tfm-1"


def test_event_is_sent_once_the_bus_is_back(service: Service) -> None:
    service.bus.is_down = True
    run = service.start_run(import_command())
    service.deliver()
    service.deliver()
    assert service.bus.detail_types() == []
    service.bus.is_down = False
    service.deliver()
    assert [event.detail.metadata.event_id for event in service.bus.events] == [event_id(run, DetailType.STARTED)]
