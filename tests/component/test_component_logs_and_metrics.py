"""Metrics, and one JSON log line per decision, from the request to its event."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from handlers import wiring
from local.glue.faults import CallFault, FaultPlan
from tests.component.handler_harness import HandlerHarness, clear_caches
from tests.component.sample_events import BUCKET, TRANSFORM, rest_sample, sample, set_header

SET = "api-start-labeling-set"
START_SET = "StartMLLabelingSetGenerationTaskRun"


@pytest.fixture(autouse=True)
def _new_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A service name per test: Powertools keeps one logger per name, with the first test's output."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", f"a-stack-{uuid4().hex}")
    clear_caches(vars(wiring))
    yield
    clear_caches(vars(wiring))


def output(capsys: pytest.CaptureFixture[str]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The log lines and the metrics since the last call; a line that is not JSON is an error."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line for line in lines if "_aws" not in line], [line for line in lines if "_aws" in line]


def totals(metrics: list[dict[str, Any]]) -> dict[str, float]:
    """The sum of each metric, by `name` or `name/outcome`. Checks the dimensions, which alarms and the dashboard select by."""
    sums: dict[str, float] = {}
    for line in metrics:
        (directive,) = line["_aws"]["CloudWatchMetrics"]
        assert directive["Namespace"] == "GlueLabelLoop"
        assert line["service"].startswith("a-stack")
        assert directive["Dimensions"] == [["outcome", "service"] if "outcome" in line else ["service"]]
        for metric in directive["Metrics"]:
            name = "/".join(filter(None, (metric["Name"], line.get("outcome"))))
            sums[name] = sums.get(name, 0) + sum(line[metric["Name"]])
    return sums


def test_starts_and_replays_are_totals(harness: HandlerHarness, capsys: pytest.CaptureFixture[str]) -> None:
    harness.rest(sample(SET))
    harness.rest(sample(SET))
    harness.command(sample("bus-start-labeling-set"))
    assert totals(output(capsys)[1]) == {"StartsAccepted": 2, "StartsReplayed": 1}


def test_unconfirmed_start_is_counted_once(harness: HandlerHarness, capsys: pytest.CaptureFixture[str]) -> None:
    harness.glue.faults.apply(FaultPlan((CallFault(START_SET, "lost-reply"),), hold_runs=True))
    harness.rest(sample(SET))
    harness.rest(sample(SET))
    assert totals(output(capsys)[1]) == {"StartsAccepted": 1, "StartsUnconfirmed": 1, "StartsReplayed": 1}


def test_refused_request_is_logged_and_not_counted_as_a_start(
    harness: HandlerHarness, capsys: pytest.CaptureFixture[str]
) -> None:
    harness.rest(sample("api-invalid-fields"))
    lines, metrics = output(capsys)
    assert metrics == []
    assert [(line["message"], line["statusCode"], line["cause"]) for line in lines] == [
        ("REQUEST_REFUSED", 422, "Invalid request")
    ]


def test_round_emits_how_many_runs_are_open_and_how_old_they_are(
    harness: HandlerHarness, capsys: pytest.CaptureFixture[str]
) -> None:
    harness.rest(sample(SET))
    output(capsys)
    harness.reconcile()
    assert set(totals(output(capsys)[1])) == {
        "RoundsFinished",
        "TransformsNotReconciled",
        "QueueDepth",
        "OldestOpenRunSeconds",
        "OldestUnconfirmedSeconds",
        "OldestQueuedSeconds",
    }


def test_ended_runs_are_counted_by_outcome_once_announced(harness: HandlerHarness, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("started", "running", "succeeded", "failed"):
        harness.announce(sample(f"stream-run-{name}"))
    harness.announce(sample("stream-command-refused"))
    outcomes = ("SUCCEEDED", "FAILED", "REFUSED")
    assert totals(output(capsys)[1]) == {f"RunsCompleted/{outcome}": 1 for outcome in outcomes}


def test_correlation_id_is_the_same_from_the_request_to_its_events(
    harness: HandlerHarness, capsys: pytest.CaptureFixture[str]
) -> None:
    event = sample(SET)
    set_header(event, "x-correlation-id", "order-7")
    harness.announce(sample("stream-no-run"))  # so that the harness listens to the bus
    harness.rest(event)
    harness.reconcile()
    harness.deliver_stream()
    decisions = [line for line in output(capsys)[0] if line["message"] != "RECONCILED"]
    assert {line["correlationId"] for line in decisions} == {"order-7"}
    assert [line["message"] for line in decisions] == ["STARTED", "EVENT_SENT"]
    assert decisions[1]["detailType"] == "TaskRunStarted"
    assert {event["detail"]["metadata"]["correlationId"] for event in harness.published_events()} == {"order-7"}


def test_no_log_line_contains_what_a_caller_sent(harness: HandlerHarness, capsys: pytest.CaptureFixture[str]) -> None:
    body = {"transformId": TRANSFORM, "outputS3Path": f"s3://{BUCKET}/labeling-sets/of-a-person/"}
    harness.rest(rest_sample(SET, body=body))
    harness.rest(rest_sample(SET, body=body | {"outputS3Path": "s3://of-a-person/"}))
    harness.rest(rest_sample(SET, body=body | {"of-a-person": 1}))
    harness.command(sample("bus-forbidden-path"))
    harness.reconcile()
    harness.deliver_stream()
    out = capsys.readouterr().out
    assert out.count('"message"') >= 5
    assert "of-a-person" not in out
    assert "s3://" not in out
