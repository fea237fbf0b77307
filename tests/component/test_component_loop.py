"""The whole loop in this process: REST, Glue, the clock, the stream, the bus, an upload, and what Glue learned from it."""

import csv
import io
import json
from typing import Any

import pytest
from moto.events.models import EventPattern

from local.cloud.template import rule_pattern
from tests.component.handler_harness import BUS, HandlerHarness
from tests.component.samples import BUCKET, TRANSFORM, names, rest_sample, sample
from tests.glue_emulator.people import COLUMNS, PERSON_OF, ROWS, csv_text

NOT_LET_IN = {"bus-own-source", "bus-upload-no-label-file"}


@pytest.fixture
def people(harness: HandlerHarness) -> HandlerHarness:
    """The table that the samples' transform is about."""
    harness.s3.put_object(Bucket=BUCKET, Key="people/part-0.csv", Body=csv_text(ROWS, COLUMNS))
    harness.connect_rules()
    return harness


def answered(harness: HandlerHarness, folder: str) -> bytes:
    """The labeling set in a run's own folder, answered by somebody who knows who is who."""
    (found,) = harness.s3.list_objects_v2(Bucket=BUCKET, Prefix=folder.removeprefix(f"s3://{BUCKET}/"))["Contents"]
    text = harness.s3.get_object(Bucket=BUCKET, Key=found["Key"])["Body"].read().decode()
    header, *rows = csv.reader(io.StringIO(text))
    assert header == ["labeling_set_id", "label", *COLUMNS]
    return csv_text([[row[0], PERSON_OF[row[2]], *row[2:]] for row in rows], header)


def test_the_loop_goes_round(people: HandlerHarness) -> None:
    harness = people
    run = harness.rest(sample("api-start-labeling-set")).body
    harness.deliver_stream()
    assert [event["detail-type"] for event in harness.on_bus()] == ["TaskRunStarted"]

    harness.work_until("SUCCEEDED")
    harness.deliver_stream()
    (succeeded,) = harness.on_bus()
    assert (succeeded["detail-type"], succeeded["detail"]["data"]["id"]) == ("TaskRunSucceeded", run["id"])
    assert succeeded["detail"]["data"]["completedOn"] >= succeeded["detail"]["data"]["startedOn"]

    labels = answered(harness, succeeded["detail"]["data"]["outputS3Path"])
    harness.s3.put_object(Bucket=BUCKET, Key=f"labels/{TRANSFORM}/answered.csv", Body=labels)
    assert harness.deliver_commands() == 1
    harness.work_until("SUCCEEDED", "SUCCEEDED")
    harness.deliver_stream()
    told = harness.on_bus()
    assert [event["detail-type"] for event in told] == ["TaskRunStarted", "TaskRunSucceeded"]
    assert {event["detail"]["data"]["requestedBy"] for event in told} == {f"s3:{BUCKET}"}
    learned = harness.glue.operations["GetMLTransform"]({"TransformId": TRANSFORM})
    assert learned["LabelCount"] == len(labels.decode().splitlines()) - 1
    assert len(harness.starts()) == 2
    assert harness.deliver_commands() == 0  # none of our own events came back in


def test_a_command_on_the_bus_comes_in_by_the_rule_and_is_announced_there(people: HandlerHarness) -> None:
    event = sample("bus-start-labeling-set")
    entry = {"Source": event["source"], "DetailType": event["detail-type"], "Detail": json.dumps(event["detail"])}
    people.events.put_events(Entries=[entry | {"EventBusName": BUS}] * 2)

    assert people.deliver_commands() == 2
    people.deliver_stream()

    (started,) = people.on_bus()
    assert started["detail-type"] == "TaskRunStarted"
    assert started["detail"]["data"]["requestedBy"].endswith(":com.example.planner")  # moto's envelope has no account
    assert len(people.glue_runs()) == 1


def test_what_waited_at_glue_s_limit_is_started_oldest_first_when_there_is_room(people: HandlerHarness) -> None:
    for number in range(5):
        people.rest(rest_sample("api-start-labeling-set", key=f"key-{number}"))
    assert people.statuses() == ["STARTING"] * 3 + ["QUEUED"] * 2

    first = people.items_by_age()[0]["id"]
    people.rest(rest_sample("api-cancel-task-run", path=f"/v1/task-runs/{first}/cancellation"))
    people.tick()
    assert people.statuses() == ["STOPPED", "STARTING", "STARTING", "STARTING", "QUEUED"]

    people.work_until("STOPPED", *["SUCCEEDED"] * 4)
    people.deliver_stream()
    kinds = [event["detail-type"] for event in people.on_bus()]
    assert (kinds.count("TaskRunStarted"), kinds.count("TaskRunSucceeded"), kinds.count("TaskRunStopped")) == (5, 4, 1)
    assert len(people.glue_runs()) == 5


@pytest.mark.parametrize("name", names("bus"))
def test_the_template_s_rules_let_in_what_is_a_command_or_a_label_file(name: str) -> None:
    rule = "Uploads" if name.startswith("bus-upload") else "Commands"
    event: Any = sample(name)
    pattern = EventPattern.load(json.dumps(rule_pattern(rule)))
    assert pattern.matches_event(event) == (name not in NOT_LET_IN)
