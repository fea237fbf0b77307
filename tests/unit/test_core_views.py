"""How a task run looks from outside."""

import re
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from core.runs import Status
from core.views import TaskRunList, rfc3339, view
from tests.fakes.glue import Fault
from tests.fakes.service import Service, import_command, labeling_command

FIELDS = [
    "id",
    "transformId",
    "taskType",
    "status",
    "taskRunId",
    "outputS3Path",
    "inputS3Path",
    "replaceAllLabels",
    "requestedBy",
    "requestedOn",
    "startedOn",
    "completedOn",
    "executionTime",
    "error",
    "waitingFor",
]


def test_labeling_set_has_every_field_and_null_for_absent_values(service: Service) -> None:
    service.glue.limit = 0
    run = service.start_run(labeling_command())
    shown = view(run).model_dump(mode="json", by_alias=True)
    assert list(shown) == FIELDS
    absent = {
        "taskRunId",
        "inputS3Path",
        "replaceAllLabels",
        "startedOn",
        "completedOn",
        "executionTime",
        "error",
        "waitingFor",
    }
    assert {name for name, value in shown.items() if value is None} == absent
    assert shown["outputS3Path"] == f"s3://bucket/labeling-sets/{run.id}/"
    assert (shown["status"], shown["taskType"], shown["requestedBy"]) == ("QUEUED", "LABELING_SET_GENERATION", "alice")


def test_import_has_its_file_and_whether_it_replaces(service: Service) -> None:
    shown = view(service.start_run(import_command(replaces=True))).model_dump(mode="json", by_alias=True)
    assert (shown["outputS3Path"], shown["inputS3Path"]) == (None, "s3://bucket/labels/tfm-1/one.csv")
    assert shown["replaceAllLabels"] is True
    assert shown["taskRunId"] == "tsk-1"


def test_error_has_a_code_and_a_message(service: Service) -> None:
    service.glue.faults = [Fault.REFUSED]
    shown = view(service.start_run(labeling_command())).model_dump(mode="json", by_alias=True)
    assert shown["error"] == {"code": "InvalidInputException", "message": "no"}


def test_ended_run_has_glues_times(service: Service) -> None:
    run = service.start_run(labeling_command())
    service.glue.finish_all(Status.SUCCEEDED)
    service.reconcile()
    shown = view(service.reload(run)).model_dump(mode="json", by_alias=True)
    assert shown["executionTime"] == 7
    assert shown["requestedOn"] <= shown["startedOn"] <= shown["completedOn"]


def test_internal_fields_are_not_public(service: Service) -> None:
    shown = TaskRunList(items=[view(service.start_run(labeling_command()))], next=None).model_dump_json(by_alias=True)
    assert not re.search("revision|lease|attempt|cancelRequested|causation", shown)


ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(min_value=datetime(1971, 1, 1), max_value=datetime(2200, 1, 1), timezones=ZONES))  # noqa: DTZ001  bounds are naive
def test_times_are_rfc_3339_in_utc(moment: datetime) -> None:
    text = rfc3339(moment)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text)
    assert timedelta(0) <= moment - datetime.fromisoformat(text) < timedelta(milliseconds=1)
    assert datetime.fromisoformat(text).tzinfo == UTC
