"""What a template's roles and policies allow, and the complete list of what they may allow."""

from collections.abc import Iterator
from typing import Any

# Role or policy -> action -> resources. A template that allows anything else fails.
LEDGER = ["Ledger.Arn", *(f"${{Ledger.Arn}}/index/{index}" for index in ("open", "byTime", "byCaller", "byTransform"))]
TRANSFORMS = ["arn:${AWS::Partition}:glue:${AWS::Region}:${AWS::AccountId}:mlTransform/${AllowedTransforms}"]
WRITE_LOGS = ("logs:CreateLogStream", "logs:PutLogEvents")
EXPECTED: dict[str, dict[str, list[str]]] = {
    "LedgerPolicy": dict.fromkeys(
        (
            "dynamodb:GetItem",
            "dynamodb:BatchGetItem",
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
            "glue:StartMLEvaluationTaskRun",
            "glue:CancelMLTaskRun",
            "glue:GetMLTaskRun",
            "glue:GetMLTaskRuns",
            "glue:GetMLTransform",
        ),
        TRANSFORMS,
    ),
    "CommandSendersPolicy": {"events:PutEvents": ["Bus.Arn"]},
    "LabelFilesPolicy": {"s3:GetObject": ["arn:aws:s3:::bucket/prefix/*"]},
    "LabelFileKeysPolicy": {"kms:Decrypt": ["LabelFileKmsKeyArns"]},
    "KeyPolicy": {action: ["KmsKeyArn"] for action in ("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey")},
    "ApiRole": {action: ["ApiLogs.Arn"] for action in WRITE_LOGS} | {"s3:ListBucket": ["arn:${AWS::Partition}:s3:::*"]},
    "LabelRole": {action: ["LabelLogs.Arn"] for action in WRITE_LOGS}
    | dict.fromkeys(("glue:StartImportLabelsTaskRun", "glue:GetMLTransform"), TRANSFORMS)
    | {"s3:PutObject": [f"arn:${{AWS::Partition}}:s3:::*/{'?' * 32}/submitted/*.csv"]},
    "BusRole": {action: ["BusLogs.Arn"] for action in WRITE_LOGS} | {"sqs:SendMessage": ["FailedCommands.Arn"]},
    "ScheduleRole": {action: ["ScheduleLogs.Arn"] for action in WRITE_LOGS} | {"sqs:SendMessage": ["FailedReconciles.Arn"]},
    "RoundPartsPolicy": {"lambda:InvokeFunction": ["ScheduleFunction.Arn"]},
    "AnnounceRole": {action: ["AnnounceLogs.Arn"] for action in WRITE_LOGS}
    | {
        action: ["Ledger.StreamArn"]
        for action in ("dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams")
    }
    | {"sqs:SendMessage": ["UnpublishedChanges.Arn"], "events:PutEvents": ["Bus.Arn"]},
    "SchedulerRole": {"lambda:InvokeFunction": ["ScheduleFunction.Arn"], "sqs:SendMessage": ["FailedReconciles.Arn"]},
    "ApiGatewayLogsWriter": {},
}


def allowed(resources: dict[str, Any]) -> dict[str, dict[str, list[str]]]:
    """Role or policy -> action -> resources, by their names in the template."""
    permissions: dict[str, dict[str, list[str]]] = {name: {} for name, _ in properties_of_type(resources, "AWS::IAM::Role")}
    for name, statement in statements(resources):
        assert statement["Effect"] == "Allow"
        for action in as_list(statement.get("Action", "NotAction")):
            permissions.setdefault(name, {}).setdefault(action, []).extend(resource_names(statement["Resource"]))
    return permissions


def statements(resources: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, role in properties_of_type(resources, "AWS::IAM::Role"):
        for policy in role.get("Policies", []):
            yield from ((name, statement) for statement in policy["PolicyDocument"]["Statement"])
    for name, policy in properties_of_type(resources, "AWS::IAM::ManagedPolicy"):
        yield from ((name, statement) for statement in policy["PolicyDocument"]["Statement"])


def resource_names(resource: Any) -> list[str]:  # noqa: ANN401 - a template's value
    match resource:
        case {"Fn::GetAtt": [name, attribute]}:
            return [f"{name}.{attribute}"]
        case {"Fn::Sub": text} | {"Ref": text}:
            return [str(text)]
        case {"Fn::Split": _}:
            return list(resolve(resource, {"AllowedS3Prefixes": "s3://bucket/prefix/"}))
        case list():
            return [name for item in resource for name in resource_names(item)]
        case _:
            return [str(resource)]


def properties_of_type(resources: dict[str, Any], resource_type: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Logical id and properties of each resource of that type."""
    yield from ((name, resource["Properties"]) for name, resource in resources.items() if resource["Type"] == resource_type)


def policy_name(attached: dict[str, Any]) -> str:
    name = attached.get("Ref") or attached.get("Fn::Sub") or attached["Fn::If"][1]["Ref"]
    return str(name)


def as_list(actions: str | list[str]) -> list[str]:
    return [actions] if isinstance(actions, str) else actions


def resolve(value: Any, parameters: dict[str, str]) -> Any:  # noqa: ANN401 - a template's values
    """What CloudFormation makes of Ref, Join and Split."""
    match value:
        case {"Ref": name}:
            return parameters[name]
        case {"Fn::Join": [delimiter, parts]}:
            return delimiter.join(resolve(parts, parameters))
        case {"Fn::Split": [delimiter, text]}:
            return resolve(text, parameters).split(delimiter)
        case list():
            return [resolve(item, parameters) for item in value]
        case _:
            return value
