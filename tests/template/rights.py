"""What a template's roles and policies grant, and the page that says what they may."""

from collections.abc import Iterator
from typing import Any

# What each role and policy may do, to the letter: action -> resources. Whatever is wider than this page fails.
LEDGER = ["Ledger.Arn", "${Ledger.Arn}/index/open", "${Ledger.Arn}/index/byTime", "${Ledger.Arn}/index/byTransform"]
TRANSFORMS = ["arn:${AWS::Partition}:glue:${AWS::Region}:${AWS::AccountId}:mlTransform/${AllowedTransforms}"]
WRITE_LOGS = ("logs:CreateLogStream", "logs:PutLogEvents")
MAY: dict[str, dict[str, list[str]]] = {
    "LedgerPolicy": dict.fromkeys(
        (
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",
            "dynamodb:DeleteItem",
            "dynamodb:ConditionCheckItem",
            "dynamodb:Query",
        ),
        LEDGER,
    ),
    "TaskRunsPolicy": dict.fromkeys(
        (
            "glue:StartMLLabelingSetGenerationTaskRun",
            "glue:StartImportLabelsTaskRun",
            "glue:StartExportLabelsTaskRun",
            "glue:CancelMLTaskRun",
            "glue:GetMLTaskRun",
            "glue:GetMLTaskRuns",
            "glue:GetMLTransform",
        ),
        TRANSFORMS,
    ),
    "LabelFilesPolicy": {"s3:GetObject": ["arn:aws:s3:::bucket/prefix/*"]},
    "KeyPolicy": {key: ["KmsKeyArn"] for key in ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey")},
    "ApiRole": {key: ["ApiLogs.Arn"] for key in WRITE_LOGS},
    "BusRole": {key: ["BusLogs.Arn"] for key in WRITE_LOGS} | {"sqs:SendMessage": ["FailedCommands.Arn"]},
    "ScheduleRole": {key: ["ScheduleLogs.Arn"] for key in WRITE_LOGS} | {"sqs:SendMessage": ["FailedReconciles.Arn"]},
    "AnnounceRole": {key: ["AnnounceLogs.Arn"] for key in WRITE_LOGS}
    | {
        key: ["Ledger.StreamArn"]
        for key in ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams")
    }
    | {"sqs:SendMessage": ["UnpublishedChanges.Arn"], "events:PutEvents": ["Bus.Arn"]},
    "SchedulerRole": {"lambda:InvokeFunction": ["ScheduleFunction.Arn"], "sqs:SendMessage": ["FailedReconciles.Arn"]},
    "ApiGatewayLogsWriter": {},
}


def rights(resources: dict[str, Any]) -> dict[str, dict[str, list[str]]]:
    """Role or policy -> action -> resources, by their names in the template."""
    found: dict[str, dict[str, list[str]]] = {name: {} for name, _ in of_type(resources, "AWS::IAM::Role")}
    for name, statement in statements(resources):
        assert statement["Effect"] == "Allow"
        for action in listed(statement.get("Action", "everything but")):
            found.setdefault(name, {}).setdefault(action, []).extend(named(statement["Resource"]))
    return found


def statements(resources: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, role in of_type(resources, "AWS::IAM::Role"):
        for policy in role.get("Policies", []):
            yield from ((name, statement) for statement in policy["PolicyDocument"]["Statement"])
    for name, policy in of_type(resources, "AWS::IAM::ManagedPolicy"):
        yield from ((name, statement) for statement in policy["PolicyDocument"]["Statement"])


def named(resource: Any) -> list[str]:  # noqa: ANN401 - a template's value
    match resource:
        case {"Fn::GetAtt": [name, attribute]}:
            return [f"{name}.{attribute}"]
        case {"Fn::Sub": text} | {"Ref": text}:
            return [str(text)]
        case {"Fn::Split": _}:
            return list(value(resource, {"AllowedS3Prefixes": "s3://bucket/prefix/"}))
        case list():
            return [name for one in resource for name in named(one)]
        case _:
            return [str(resource)]


def of_type(resources: dict[str, Any], kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from ((name, one["Properties"]) for name, one in resources.items() if one["Type"] == kind)


def policy_name(attached: dict[str, Any]) -> str:
    name = attached.get("Ref") or attached.get("Fn::Sub") or attached["Fn::If"][1]["Ref"]
    return str(name)


def listed(actions: str | list[str]) -> list[str]:
    return [actions] if isinstance(actions, str) else actions


def value(part: Any, parameters: dict[str, str]) -> Any:  # noqa: ANN401 - a template's values
    """What CloudFormation makes of Ref, Join and Split."""
    match part:
        case {"Ref": name}:
            return parameters[name]
        case {"Fn::Join": [delimiter, parts]}:
            return delimiter.join(value(parts, parameters))
        case {"Fn::Split": [delimiter, text]}:
            return value(text, parameters).split(delimiter)
        case list():
            return [value(one, parameters) for one in part]
        case _:
            return part
