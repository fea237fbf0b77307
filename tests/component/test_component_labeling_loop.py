"""The labeling loop in this process: request, Glue, reconciler, stream, bus, upload, and the labels in Glue."""

import csv
import io
import json
from typing import Any

import pytest
from moto.events.models import EventPattern

from local.cloud.template import rule_pattern
from tests.component.handler_harness import BUS, HandlerHarness
from tests.component.sample_events import BUCKET, TRANSFORM, cancel_run, get_run, names, rest_sample, sample
from tests.glue_emulator.people import COLUMNS, LABELS_OF_HALF, PERSON_OF, ROWS, csv_text

NOT_MATCHED = {"bus-own-source", "bus-upload-forbidden-bucket"}  # which .csv files it imports, the function decides


@pytest.fixture
def people(harness: HandlerHarness) -> HandlerHarness:
    """The harness with the table of the samples' transform in S3."""
    harness.s3.put_object(Bucket=BUCKET, Key="people/part-0.csv", Body=csv_text(ROWS, COLUMNS))
    harness.connect_rules()
    return harness


def labeled(harness: HandlerHarness, folder: str) -> bytes:
    """The labeling set in a run's own folder, with the right label in each row."""
    (file,) = harness.s3.list_objects_v2(Bucket=BUCKET, Prefix=folder.removeprefix(f"s3://{BUCKET}/"))["Contents"]
    text = harness.s3.get_object(Bucket=BUCKET, Key=file["Key"])["Body"].read().decode()
    header, *rows = csv.reader(io.StringIO(text))
    assert header == ["labeling_set_id", "label", *COLUMNS]
    return csv_text([[row[0], PERSON_OF[row[2]], *row[2:]] for row in rows], header)


def test_labeling_loop_from_request_to_learned_labels(people: HandlerHarness) -> None:
    harness = people
    run = harness.rest(sample("api-start-labeling-set")).body
    harness.deliver_stream()
    assert [event["detail-type"] for event in harness.published_events()] == ["TaskRunStarted"]

    harness.run_glue_until("SUCCEEDED")
    harness.deliver_stream()
    (succeeded,) = harness.published_events()
    assert (succeeded["detail-type"], succeeded["detail"]["data"]["id"]) == ("TaskRunSucceeded", run["id"])
    assert succeeded["detail"]["data"]["completedOn"] >= succeeded["detail"]["data"]["startedOn"]

    labels = labeled(harness, succeeded["detail"]["data"]["outputS3Path"])
    harness.s3.put_object(Bucket=BUCKET, Key=f"labels/{TRANSFORM}/labeled.csv", Body=labels)
    assert harness.deliver_commands() == 1
    harness.run_glue_until("SUCCEEDED", "SUCCEEDED")
    harness.deliver_stream()
    events = harness.published_events()
    assert [event["detail-type"] for event in events] == ["TaskRunStarted", "TaskRunSucceeded"]
    assert {event["detail"]["data"]["requestedBy"] for event in events} == {f"s3:{BUCKET}"}
    transform = harness.glue.operations["GetMLTransform"]({"TransformId": TRANSFORM})
    assert transform["LabelCount"] == len(labels.decode().splitlines()) - 1
    assert len(harness.glue_start_calls()) == 2
    assert harness.deliver_commands() == 0  # no event of this service is delivered back to it


def test_evaluation_and_export_see_the_labels_that_were_uploaded_before(people: HandlerHarness) -> None:
    people.s3.put_object(Bucket=BUCKET, Key=f"labels/{TRANSFORM}/half.csv", Body=LABELS_OF_HALF)
    assert people.deliver_commands() == 1
    evaluation, export = (people.rest(sample(name)).body for name in ("api-start-evaluation", "api-start-export"))
    assert [run["waitingFor"]["reason"] for run in (evaluation, export)] == ["OPEN_IMPORT", "QUEUE"]

    people.run_glue_until("SUCCEEDED", "SUCCEEDED", "SUCCEEDED")

    metrics = people.rest(get_run(evaluation["id"])).body["metrics"]
    assert 0 < metrics["f1"] <= 1
    assert 0 < metrics["areaUnderPRCurve"] <= 1
    assert metrics["confusionMatrix"]["numTruePositives"] > 0
    assert {each["columnName"] for each in metrics["columnImportances"]} == {"name", "street", "city"}
    people.deliver_stream()
    succeeded = [event["detail"]["data"] for event in people.published_events() if event["detail-type"] == "TaskRunSucceeded"]
    assert [run.get("metrics") for run in succeeded] == [None, metrics, None]
    folder = people.rest(get_run(export["id"])).body["outputS3Path"]
    assert folder == f"s3://{BUCKET}/label-exports/{export['id']}/"
    (file,) = people.s3.list_objects_v2(Bucket=BUCKET, Prefix=folder.removeprefix(f"s3://{BUCKET}/"))["Contents"]
    exported = people.s3.get_object(Bucket=BUCKET, Key=file["Key"])["Body"].read()
    assert sorted(exported.splitlines()) == sorted(LABELS_OF_HALF.splitlines())


@pytest.mark.parametrize("name", ["api-start-evaluation", "api-start-export"])
def test_without_labels_it_is_refused_with_what_to_do_and_the_key_may_be_sent_again(people: HandlerHarness, name: str) -> None:
    response = people.rest(sample(name))
    assert (response.status, response.body["title"]) == (422, "Refused by Glue")
    assert "Import labels first" in response.body["detail"]
    people.s3.put_object(Bucket=BUCKET, Key=f"labels/{TRANSFORM}/half.csv", Body=LABELS_OF_HALF)
    people.deliver_commands()
    people.run_glue_until("REFUSED", "SUCCEEDED")
    again = people.rest(sample(name))
    assert (again.status, again.body["status"]) == (202, "STARTING")


def test_command_on_the_bus_starts_a_run_that_is_announced_there(people: HandlerHarness) -> None:
    event = sample("bus-start-labeling-set")
    entry = {"Source": event["source"], "DetailType": event["detail-type"], "Detail": json.dumps(event["detail"])}
    people.events.put_events(Entries=[entry | {"EventBusName": BUS}] * 2)

    assert people.deliver_commands() == 2
    people.deliver_stream()

    (started,) = people.published_events()
    assert started["detail-type"] == "TaskRunStarted"
    assert started["detail"]["data"]["requestedBy"].endswith(":com.example.planner")  # moto's envelope has no account
    assert len(people.glue_runs()) == 1


def test_queued_runs_start_oldest_first_when_glue_has_room(people: HandlerHarness) -> None:
    for number in range(5):
        people.rest(rest_sample("api-start-labeling-set", key=f"key-{number}"))
    assert people.statuses() == ["STARTING"] * 3 + ["QUEUED"] * 2

    first = people.items_by_request_time()[0]["id"]
    people.rest(cancel_run(first))
    people.reconcile()
    assert people.statuses() == ["STOPPED", "STARTING", "STARTING", "STARTING", "QUEUED"]

    people.run_glue_until("STOPPED", *["SUCCEEDED"] * 4)
    people.deliver_stream()
    kinds = [event["detail-type"] for event in people.published_events()]
    assert (kinds.count("TaskRunStarted"), kinds.count("TaskRunSucceeded"), kinds.count("TaskRunStopped")) == (5, 4, 1)
    assert len(people.glue_runs()) == 5


@pytest.mark.parametrize("name", names("bus"))
def test_event_rules_of_the_template_match_commands_and_label_files(name: str) -> None:
    rule = "Uploads" if name.startswith("bus-upload") else "Commands"
    event: Any = sample(name)
    pattern = EventPattern.load(json.dumps(rule_pattern(rule, "s3://label-loop-data/")))
    assert pattern.matches_event(event) == (name not in NOT_MATCHED)


@pytest.mark.parametrize("prefixes", ["s3://a-bucket/x/,s3://b-bucket/", "s3://b-bucket/y/z/,s3://a-bucket/"])
@pytest.mark.parametrize(("bucket", "expected"), [("a-bucket", "match"), ("b-bucket", "match"), ("a", "none"), ("s3", "none")])
def test_upload_rule_matches_the_buckets_of_all_allowed_prefixes(prefixes: str, bucket: str, expected: str) -> None:
    event: Any = sample("bus-upload")
    event["detail"]["bucket"]["name"] = bucket
    assert EventPattern.load(json.dumps(rule_pattern("Uploads", prefixes))).matches_event(event) == (expected == "match")
