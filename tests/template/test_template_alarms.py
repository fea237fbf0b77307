"""Whoever is called at night finds the alarm's name in the runbook, and the number behind it is one that is really sent."""

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = (ROOT / "docs" / "operating.md").read_text().partition("\n## Runbook\n")[2]
FUNCTIONS = ("Api", "Bus", "Schedule", "Announce")
QUEUES = ("UndeliveredEvents", "FailedCommands", "FailedReconciles", "UnpublishedChanges")
WANTED = {
    *(f"{queue}NotEmpty" for queue in QUEUES),
    *(f"{function}FunctionErrors" for function in FUNCTIONS),
    *(f"{function}FunctionThrottles" for function in FUNCTIONS),
    "ReconcileSilent",
    "OldestUnconfirmed",
    "OldestQueued",
    "OldestUnpublishedChange",
    "TransformsNotReconciled",
    "ApiServerErrors",
}


def test_every_alarm_has_a_heading_of_the_runbook_with_something_to_do_below(resources: dict[str, Any]) -> None:
    sections = dict(re.findall(r"^### (\w+)\n(.+?)(?=^###|\Z)", RUNBOOK, re.MULTILINE | re.DOTALL))
    assert set(sections) == set(_alarms(resources)) == WANTED
    assert not [name for name, text in sections.items() if len(text.split()) < 15]


def test_every_alarm_tells_the_topic_and_what_to_think_of_silence(resources: dict[str, Any]) -> None:
    topic = {"Fn::If": ["HasTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
    for name, alarm in _alarms(resources).items():
        assert alarm["AlarmActions"] == alarm["OKActions"] == topic
        assert alarm["TreatMissingData"] == ("breaching" if name == "ReconcileSilent" else "notBreaching")
        assert alarm["AlarmDescription"]


def test_a_reconciler_that_is_silent_for_five_minutes_is_noticed(resources: dict[str, Any]) -> None:
    alarm = _alarms(resources)["ReconcileSilent"]
    assert (alarm["MetricName"], alarm["Period"] * alarm["EvaluationPeriods"]) == ("RoundsFinished", 300)
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)


def test_our_own_metrics_in_alarms_and_dashboard_are_those_that_the_code_sends(resources: dict[str, Any]) -> None:
    sent = set(re.findall(r'"([A-Z][A-Za-z]+)": ?', (ROOT / "src" / "handlers" / "metrics.py").read_text()))
    sent |= {"StartsReplayed", "StartsAccepted"}
    watched = {one["MetricName"] for one in _alarms(resources).values() if one["Namespace"] == "GlueLabelLoop"}
    shown = {metric[1] for widget in _widgets(resources) for metric in widget["metrics"] if metric[0] == "GlueLabelLoop"}
    assert watched < shown == sent


def test_the_dashboard_has_the_business_in_its_first_row(resources: dict[str, Any]) -> None:
    body = json.loads(resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])
    first = [one["properties"] for one in body["widgets"] if one["y"] == 0]
    assert len(first) == 4
    assert {metric[0] for widget in first for metric in widget["metrics"]} == {"GlueLabelLoop"}


def test_cancelled_lost_and_all_other_endings_are_on_the_dashboard(resources: dict[str, Any]) -> None:
    shown = {metric[3] for widget in _widgets(resources) for metric in widget["metrics"] if metric[1] == "RunsCompleted"}
    assert shown == {"SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT", "REFUSED", "START_FAILED", "CANCELLED", "LOST"}


def _alarms(resources: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: one["Properties"] for name, one in resources.items() if one["Type"] == "AWS::CloudWatch::Alarm"}


def _widgets(resources: dict[str, Any]) -> list[dict[str, Any]]:
    body = json.loads(resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"])
    return [widget["properties"] for widget in body["widgets"]]
