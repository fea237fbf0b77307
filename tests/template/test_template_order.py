"""A reader finds each function together with what belongs to it, and what repeats only once."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

TEMPLATE = Path(__file__).resolve().parents[2] / "template.yaml"
FUNCTIONS = ("ApiFunction", "LabelFunction", "BusFunction", "ScheduleFunction", "AnnounceFunction")


@pytest.mark.parametrize(("function", "following"), list(pairwise((*FUNCTIONS, "Dashboard"))))
def test_a_function_is_followed_by_its_role_log_group_queues_and_alarms(
    resources: dict[str, Any], function: str, following: str
) -> None:
    names = list(resources)
    block = names[names.index(function) : names.index(following)]
    properties = resources[function]["Properties"]
    queues = _queues(properties)
    assert block[1] == properties["Role"]["Fn::GetAtt"][0]
    assert {properties["LoggingConfig"]["LogGroup"]["Ref"], *queues, *_alarms(resources, {function, *queues})} < set(block)


def test_parameters_come_first_and_outputs_last(template: dict[str, Any]) -> None:
    sections = [name for name in template if name not in ("AWSTemplateFormatVersion", "Transform", "Description", "Metadata")]
    assert sections == ["Parameters", "Conditions", "Globals", "Resources", "Outputs"]


@pytest.mark.parametrize(
    "repeated",
    [
        "TreatMissingData: notBreaching",
        "MetricName: Errors",
        "MetricName: ApproximateNumberOfMessagesVisible",
        "MessageRetentionPeriod:",
        "RetentionInDays:",
        "BuildMethod:",
        '"type":"metric"',
        '"period":60',
    ],
)
def test_what_many_resources_share_is_written_once(repeated: str) -> None:
    assert TEMPLATE.read_text().count(repeated) == 1


def _queues(function: dict[str, Any]) -> set[str]:
    """The queues that the function's events and its asynchronous invocations end in when they fail."""
    targets = [function.get("EventInvokeConfig", {})] + [event["Properties"] for event in function["Events"].values()]
    arns = [target["DestinationConfig"]["OnFailure"]["Destination"] for target in targets if "DestinationConfig" in target]
    arns += [target["DeadLetterConfig"]["Arn"] for target in targets if "DeadLetterConfig" in target]
    return {arn["Fn::GetAtt"][0] for arn in arns}


def _alarms(resources: dict[str, Any], watched: set[str]) -> set[str]:
    """The alarms on a metric of one of these functions and queues."""
    return {
        name
        for name, resource in resources.items()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
        for dimension in resource["Properties"]["Dimensions"]
        if _reference(dimension["Value"]) in watched
    }


def _reference(value: Any) -> str | None:  # noqa: ANN401 - a template's value
    match value:
        case {"Ref": name} | {"Fn::GetAtt": [name, _]}:
            return str(name)
    return None
