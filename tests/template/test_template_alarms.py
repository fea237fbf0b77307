"""Every alarm has a section in the runbook, and alarms and dashboard watch metrics that the code really sends."""

import json
import re
from pathlib import Path
from typing import Any

from tests.template.code_names import metrics
from tests.template.permissions import properties_of_type

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = (ROOT / "docs" / "operating.md").read_text().partition("\n## Runbook\n")[2]
FUNCTIONS = ("Api", "Label", "Bus", "Schedule", "Announce")
QUEUES = ("UndeliveredEvents", "FailedCommands", "FailedReconciles", "UnpublishedChanges")
EXPECTED = {
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


def test_every_alarm_has_a_section_in_the_runbook(resources: dict[str, Any]) -> None:
    sections = dict(re.findall(r"^### (\w+)\n(.+?)(?=^###|\Z)", RUNBOOK, re.MULTILINE | re.DOTALL))
    assert set(sections) == set(_alarms(resources)) == EXPECTED
    assert not [name for name, text in sections.items() if len(text.split()) < 15]


def test_every_alarm_notifies_the_topic_and_says_what_missing_data_means(resources: dict[str, Any]) -> None:
    topic = {"Fn::If": ["HasTopic", [{"Ref": "AlarmTopicArn"}], {"Ref": "AWS::NoValue"}]}
    for name, alarm in _alarms(resources).items():
        assert alarm["AlarmActions"] == alarm["OKActions"] == topic
        assert alarm["TreatMissingData"] == ("breaching" if name == "ReconcileSilent" else "notBreaching")
        assert alarm["AlarmDescription"]


def test_a_reconciler_that_finishes_no_round_for_five_minutes_raises_an_alarm(resources: dict[str, Any]) -> None:
    alarm = _alarms(resources)["ReconcileSilent"]
    assert (alarm["MetricName"], alarm["Period"] * alarm["EvaluationPeriods"]) == ("RoundsFinished", 300)
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("LessThanThreshold", 1)


def test_own_metrics_of_alarms_and_dashboard_are_those_that_the_code_sends(resources: dict[str, Any]) -> None:
    sent = metrics((ROOT / "src" / "handlers" / "metrics.py").read_text())
    with_alarm = {alarm["MetricName"] for alarm in _alarms(resources).values() if alarm["Namespace"] == "GlueLabelLoop"}
    shown = {metric[1] for widget in _widgets(resources) for metric in widget["metrics"] if metric[0] == "GlueLabelLoop"}
    assert with_alarm < shown == sent


def test_the_first_row_of_the_dashboard_shows_task_runs(resources: dict[str, Any]) -> None:
    first_row = [widget for widget in _widgets(resources) if widget["y"] == 0]
    assert len(first_row) == 4
    assert {metric[0] for widget in first_row for metric in widget["metrics"]} == {"GlueLabelLoop"}


def test_the_dashboard_shows_every_outcome_of_a_run(resources: dict[str, Any]) -> None:
    shown = {metric[3] for widget in _widgets(resources) for metric in widget["metrics"] if metric[1] == "RunsCompleted"}
    assert shown == {"SUCCEEDED", "FAILED", "STOPPED", "TIMEOUT", "REFUSED", "START_FAILED", "CANCELLED", "LOST"}


def test_every_widget_of_the_dashboard_has_a_place_of_its_own_a_region_and_a_period(resources: dict[str, Any]) -> None:
    widgets = _widgets(resources)
    assert len({(widget["x"], widget["y"]) for widget in widgets}) == len(widgets) == 13
    for widget in widgets:
        assert (widget["type"], widget["width"], widget["height"]) == ("metric", 6, 6)
        assert (widget["region"], widget["period"]) == ("${AWS::Region}", 60)


def _alarms(resources: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return dict(properties_of_type(resources, "AWS::CloudWatch::Alarm"))


def _widgets(resources: dict[str, Any]) -> list[dict[str, Any]]:
    """The dashboard's widgets with their properties, each "." replaced by what it repeats."""
    text, variables = resources["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    for name, value in variables.items():
        text = text.replace(f"${{{name}}}", value if isinstance(value, str) else value["Fn::Sub"])
    widgets = [widget | widget["properties"] for widget in json.loads(text)["widgets"]]
    for widget in widgets:
        metrics: list[list[str]] = []
        for metric in widget["metrics"]:
            metrics.append([metrics[-1][i] if part == "." else part for i, part in enumerate(metric)])
        widget["metrics"] = metrics
    return widgets
