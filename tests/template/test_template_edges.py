"""Every asynchronous delivery that fails ends in a dead-letter queue that exists and that the sender may write to."""

from collections.abc import Iterator
from typing import Any

ASYNCHRONOUS = {"EventBridgeRule", "ScheduleV2"}
STREAM = {"DynamoDB"}


def test_every_rule_and_schedule_names_a_dead_letter_queue(functions: dict[str, Any], resources: dict[str, Any]) -> None:
    events = [event for function in functions.values() for event in _events(function, ASYNCHRONOUS)]
    assert {event["Type"] for event in events} == ASYNCHRONOUS
    for event in events:
        assert _queue(event["Properties"]["DeadLetterConfig"]["Arn"], resources)


def test_every_asynchronously_invoked_function_has_an_on_failure_queue(
    functions: dict[str, Any], resources: dict[str, Any]
) -> None:
    invoked = {name: function for name, function in functions.items() if _events(function, ASYNCHRONOUS)}
    assert set(invoked) == {"BusFunction", "ScheduleFunction"}
    for function in invoked.values():
        target = function["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]
        queue = _queue(target["Destination"], resources)
        assert queue in _writable_queues(function, resources)


def test_the_stream_reports_partial_failures_and_has_an_on_failure_queue(
    functions: dict[str, Any], resources: dict[str, Any]
) -> None:
    streams = [(function, event["Properties"]) for function in functions.values() for event in _events(function, STREAM)]
    assert len(streams) == 1
    function, stream = streams[0]
    assert stream["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert stream["BisectBatchOnFunctionError"] is True
    assert stream["MaximumRetryAttempts"] > 0
    assert _queue(stream["DestinationConfig"]["OnFailure"]["Destination"], resources) in _writable_queues(function, resources)


def test_eventbridge_may_write_to_the_dead_letter_queue_of_both_rules(resources: dict[str, Any]) -> None:
    statement = resources["UndeliveredEventsPolicy"]["Properties"]["PolicyDocument"]["Statement"][0]
    sources = statement["Condition"]["ArnEquals"]["aws:SourceArn"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert sources == [{"Fn::GetAtt": ["BusFunctionCommands", "Arn"]}, {"Fn::GetAtt": ["BusFunctionUploads", "Arn"]}]


def test_our_own_events_are_never_taken_for_commands(functions: dict[str, Any]) -> None:
    pattern = functions["BusFunction"]["Events"]["Commands"]["Properties"]["Pattern"]
    assert pattern["source"] == [{"anything-but": ["glue-label-loop"]}]
    assert pattern["detail-type"] == ["StartLabelingSetRun", "StartLabelImportRun", "StartEvaluationRun", "StartLabelExportRun"]


def test_dead_letter_queues_keep_messages_for_two_weeks(resources: dict[str, Any]) -> None:
    queues = [resource["Properties"] for resource in resources.values() if resource["Type"] == "AWS::SQS::Queue"]
    assert [queue["MessageRetentionPeriod"] for queue in queues] == [1_209_600] * 4


def _events(function: dict[str, Any], types: set[str]) -> list[dict[str, Any]]:
    return [event for event in function.get("Events", {}).values() if event["Type"] in types]


def _queue(arn: dict[str, list[str]], resources: dict[str, Any]) -> str:
    name, attribute = arn["Fn::GetAtt"]
    assert attribute == "Arn"
    assert resources[name]["Type"] == "AWS::SQS::Queue"
    return name


def _writable_queues(function: dict[str, Any], resources: dict[str, Any]) -> set[str]:
    role = resources[function["Role"]["Fn::GetAtt"][0]]["Properties"]
    return set(_resources_of(role, "sqs:SendMessage"))


def _resources_of(role: dict[str, Any], action: str) -> Iterator[str]:
    for policy in role["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            if action in statement["Action"]:
                yield statement["Resource"]["Fn::GetAtt"][0]
