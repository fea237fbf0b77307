"""Whatever is delivered asynchronously and fails ends on a queue that exists and that the deliverer may write to."""

from collections.abc import Iterator
from typing import Any

QUEUED = {"EventBridgeRule", "ScheduleV2"}  # invoke a function through its own queue of asynchronous events
STREAMED = {"DynamoDB"}


def test_every_rule_and_schedule_names_a_dead_letter_queue(functions: dict[str, Any], resources: dict[str, Any]) -> None:
    edges = [edge for one in functions.values() for edge in _edges(one, QUEUED)]
    assert {edge["Type"] for edge in edges} == QUEUED
    for edge in edges:
        assert _queue(edge["Properties"]["DeadLetterConfig"]["Arn"], resources)


def test_every_asynchronously_invoked_function_has_an_on_failure_queue(
    functions: dict[str, Any], resources: dict[str, Any]
) -> None:
    invoked = {name: one for name, one in functions.items() if _edges(one, QUEUED)}
    assert set(invoked) == {"BusFunction", "ScheduleFunction"}
    for one in invoked.values():
        target = one["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]
        queue = _queue(target["Destination"], resources)
        assert queue in _may_send_to(one, resources)


def test_the_stream_reports_partial_failures_and_has_an_on_failure_queue(
    functions: dict[str, Any], resources: dict[str, Any]
) -> None:
    edges = [(one, edge["Properties"]) for one in functions.values() for edge in _edges(one, STREAMED)]
    assert len(edges) == 1
    function, stream = edges[0]
    assert stream["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert stream["BisectBatchOnFunctionError"] is True
    assert stream["MaximumRetryAttempts"] > 0
    assert _queue(stream["DestinationConfig"]["OnFailure"]["Destination"], resources) in _may_send_to(function, resources)


def test_events_may_write_to_the_queue_of_both_rules(resources: dict[str, Any]) -> None:
    statement = resources["UndeliveredEventsPolicy"]["Properties"]["PolicyDocument"]["Statement"][0]
    sources = statement["Condition"]["ArnEquals"]["aws:SourceArn"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert sources == [{"Fn::GetAtt": ["BusFunctionCommands", "Arn"]}, {"Fn::GetAtt": ["BusFunctionUploads", "Arn"]}]


def test_commands_never_come_from_ourselves(functions: dict[str, Any]) -> None:
    pattern = functions["BusFunction"]["Events"]["Commands"]["Properties"]["Pattern"]
    assert pattern["source"] == [{"anything-but": ["glue-label-loop"]}]
    assert pattern["detail-type"] == ["StartLabelingSetRun", "StartLabelImportRun"]


def test_dead_letters_are_kept_for_two_weeks(resources: dict[str, Any]) -> None:
    queues = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::SQS::Queue"]
    assert [queue["MessageRetentionPeriod"] for queue in queues] == [1_209_600] * 4


def _edges(function: dict[str, Any], kinds: set[str]) -> list[dict[str, Any]]:
    return [event for event in function.get("Events", {}).values() if event["Type"] in kinds]


def _queue(arn: dict[str, list[str]], resources: dict[str, Any]) -> str:
    name, attribute = arn["Fn::GetAtt"]
    assert attribute == "Arn"
    assert resources[name]["Type"] == "AWS::SQS::Queue"
    return name


def _may_send_to(function: dict[str, Any], resources: dict[str, Any]) -> set[str]:
    role = resources[function["Role"]["Fn::GetAtt"][0]]["Properties"]
    return set(_granted(role, "sqs:SendMessage"))


def _granted(role: dict[str, Any], action: str) -> Iterator[str]:
    for policy in role["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            if action in statement["Action"]:
                yield statement["Resource"]["Fn::GetAtt"][0]
