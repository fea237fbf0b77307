"""What the functions tell their operator: numbers, and one JSON line per decision, from the request to its event."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from handlers import wiring
from local.glue.faults import CallFault, FaultPlan
from tests.component.handler_harness import HandlerHarness, forget_everything
from tests.component.samples import BUCKET, TRANSFORM, rest_sample, sample, set_header

SET = "api-start-labeling-set"
ASK_FOR_SET = "StartMLLabelingSetGenerationTaskRun"


@pytest.fixture(autouse=True)
def _new_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A stack of its own, as Powertools' logger keeps writing where its stack's first test read."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", f"a-stack-{uuid4().hex}")
    forget_everything(vars(wiring))
    yield
    forget_everything(vars(wiring))


def told(capsys: pytest.CaptureFixture[str]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Log lines, and metrics, since the last look; a line that is no JSON fails."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in lines if "_aws" not in line], [line for line in lines if "_aws" in line]


def counted(metrics: list[dict[str, Any]]) -> dict[str, float]:
    """Each metric's sum, `name` or `name/outcome`; the dimensions are those that alarms and dashboard look at."""
    found: dict[str, float] = {}
    for line in metrics:
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == "GlueLabelLoop"
        assert line["service"].startswith("a-stack")
        assert directive["Dimensions"] == [["outcome", "service"] if "outcome" in line else ["service"]]
        for metric in directive["Metrics"]:
            name = "/".join(filter(None, (metric["Name"], line.get("outcome"))))
            found[name] = found.get(name, 0) + sum(line[metric["Name"]])
    return found


def test_starts_and_replays_are_counted(harness: HandlerHarness, capsys: pytest.CaptureFixture[str]) -> None:
    harness.rest(sample(SET))
    harness.rest(sample(SET))
    harness.event(sample("bus-start-labeling-set"))
    assert counted(told(capsys)[1]) == {"StartsAccepted": 2, "StartsReplayed": 1}


def test_a_start_in_doubt_is_counted_once(harness: HandlerHarness, capsys: pytest.CaptureFixture[str]) -> None:
    harness.glue.faults.apply(FaultPlan((CallFault(ASK_FOR_SET, "lost-reply"),), hold_runs=True))
    harness.rest(sample(SET))
    harness.rest(sample(SET))
    assert counted(told(capsys)[1]) == {"StartsAccepted": 1, "StartsUnconfirmed": 1, "StartsReplayed": 1}


def test_a_refused_request_is_no_start_but_a_line(harness: HandlerHarness, capsys: pytest.CaptureFixture[str]) -> None:
    harness.rest(sample("api-invalid-fields"))
    lines, metrics = told(capsys)
    assert metrics == []
    assert [(line["message"], line["statusCode"], line["cause"]) for line in lines] == [
        ("REQUEST_REFUSED", 422, "Invalid request")
    ]


def test_a_round_tells_how_much_is_open_and_since_when(harness: HandlerHarness, capsys: pytest.CaptureFixture[str]) -> None:
    harness.rest(sample(SET))
    told(capsys)
    harness.tick()
    assert set(counted(told(capsys)[1])) == {
        "RoundsFinished",
        "TransformsNotReconciled",
        "QueueDepth",
        "OldestOpenRunSeconds",
        "OldestUnconfirmedSeconds",
        "OldestQueuedSeconds",
    }


def test_endings_are_counted_by_outcome_when_their_event_is_out(
    harness: HandlerHarness, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("started", "running", "succeeded", "failed"):
        harness.announce(sample(f"stream-run-{name}"))
    harness.announce(sample("stream-command-refused"))
    outcomes = ("SUCCEEDED", "FAILED", "REFUSED")
    assert counted(told(capsys)[1]) == {f"RunsCompleted/{outcome}": 1 for outcome in outcomes}


def test_one_correlation_id_leads_from_the_request_to_its_events(
    harness: HandlerHarness, capsys: pytest.CaptureFixture[str]
) -> None:
    event = sample(SET)
    set_header(event, "x-correlation-id", "order-7")
    harness.announce(sample("stream-no-run"))  # so that the bus is listened to
    harness.rest(event)
    harness.tick()
    harness.deliver_stream()
    decisions = [line for line in told(capsys)[0] if line["message"] != "RECONCILED"]
    assert {line["correlationId"] for line in decisions} == {"order-7"}
    assert [line["message"] for line in decisions] == ["STARTED", "EVENT_SENT"]
    assert decisions[1]["detailType"] == "TaskRunStarted"
    assert {event["detail"]["metadata"]["correlationId"] for event in harness.on_bus()} == {"order-7"}


def test_no_line_holds_what_a_caller_sent(harness: HandlerHarness, capsys: pytest.CaptureFixture[str]) -> None:
    body = {"transformId": TRANSFORM, "outputS3Path": f"s3://{BUCKET}/labeling-sets/of-a-person/"}
    harness.rest(rest_sample(SET, body=body))
    harness.rest(rest_sample(SET, body=body | {"outputS3Path": "s3://of-a-person/"}))
    harness.rest(rest_sample(SET, body=body | {"of-a-person": 1}))
    harness.event(sample("bus-forbidden-path"))
    harness.tick()
    harness.deliver_stream()
    out = capsys.readouterr().out
    assert out.count('"message"') >= 5
    assert "of-a-person" not in out
    assert "s3://" not in out
