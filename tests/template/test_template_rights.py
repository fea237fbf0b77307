"""Least privilege: what each role may do, and that nothing is granted wholesale."""

import re
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest

STARTS = {"LedgerPolicy", "TaskRunsPolicy", "LabelFilesPolicy", "KeyPolicy"}
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
# API Gateway refuses an account's logging role that has less than AWS's own policy.
AWS_OWN = {"ApiGatewayLogsWriter": "arn:${AWS::Partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"}


def test_every_function_has_a_role_of_its_own(functions: dict[str, Any]) -> None:
    roles = [one["Role"]["Fn::GetAtt"][0] for one in functions.values()]
    assert len(set(roles)) == len(functions) == 4


def test_every_role_and_policy_may_do_what_is_listed_here_and_nothing_else(resources: dict[str, Any]) -> None:
    assert _rights(resources) == MAY


@pytest.mark.parametrize(
    "wider",
    [
        {"Effect": "Allow", "Action": "s3:*", "Resource": {"Fn::GetAtt": ["ApiLogs", "Arn"]}},
        {"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"},
        {"Effect": "Allow", "Action": ["glue:DeleteMLTransform"], "Resource": {"Fn::Sub": TRANSFORMS[0]}},
        {"Effect": "Allow", "NotAction": "iam:*", "Resource": {"Fn::GetAtt": ["ApiLogs", "Arn"]}},
    ],
)
def test_that_page_would_notice_a_right_too_many(resources: dict[str, Any], wider: dict[str, Any]) -> None:
    changed = deepcopy(resources)
    changed["ApiRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].append(wider)
    assert _rights(changed) != MAY


def test_no_other_resource_carries_rights(resources: dict[str, Any], functions: dict[str, Any]) -> None:
    kinds = {one["Type"] for one in resources.values()}
    assert kinds & {"AWS::IAM::Policy", "AWS::IAM::User", "AWS::IAM::Group", "AWS::S3::BucketPolicy"} == set()
    assert not [name for name, one in functions.items() if "Policies" in one]


def test_roles_are_assumed_by_the_one_service_that_needs_them(resources: dict[str, Any]) -> None:
    trusted = {
        name: [(one["Principal"], one["Action"]) for one in role["AssumeRolePolicyDocument"]["Statement"]]
        for name, role in _of_type(resources, "AWS::IAM::Role")
    }
    services = {"SchedulerRole": "scheduler", "ApiGatewayLogsWriter": "apigateway"}
    assert trusted == {
        name: [({"Service": f"{services.get(name, 'lambda')}.amazonaws.com"}, "sts:AssumeRole")] for name in trusted
    }


def test_the_customer_key_is_used_through_our_services_alone(resources: dict[str, Any]) -> None:
    (statement,) = resources["KeyPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    services = {one["Fn::Sub"].split(".")[0] for one in statement["Condition"]["StringEquals"]["kms:ViaService"]}
    assert services == {"dynamodb", "events", "lambda", "sqs"}


def test_only_our_own_policies_are_attached(resources: dict[str, Any]) -> None:
    for name, role in _of_type(resources, "AWS::IAM::Role"):
        attached = {_policy(one) for one in role.get("ManagedPolicyArns", [])}
        assert attached == (
            {AWS_OWN[name]} if name in AWS_OWN else STARTS if name in ("ApiRole", "BusRole", "ScheduleRole") else {"KeyPolicy"}
        )


def test_only_the_announcing_function_sends_events_and_only_as_ourselves(resources: dict[str, Any]) -> None:
    senders = [
        (name, statement)
        for name, role in _of_type(resources, "AWS::IAM::Role")
        for policy in role.get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
        if "events:PutEvents" in _listed(statement["Action"])
    ]
    assert [name for name, _ in senders] == ["AnnounceRole"]
    assert senders[0][1]["Condition"] == {"StringEquals": {"events:source": "glue-label-loop"}}
    assert senders[0][1]["Resource"] == {"Fn::GetAtt": ["Bus", "Arn"]}


def test_the_announcing_function_cannot_touch_the_ledger_or_glue(resources: dict[str, Any]) -> None:
    role = dict(_of_type(resources, "AWS::IAM::Role"))["AnnounceRole"]
    actions = {a for p in role["Policies"] for s in p["PolicyDocument"]["Statement"] for a in _listed(s["Action"])}
    assert not {action for action in actions if action.startswith("glue:")}
    assert {action for action in actions if action.startswith("dynamodb:")} == {
        "dynamodb:DescribeStream",
        "dynamodb:GetRecords",
        "dynamodb:GetShardIterator",
        "dynamodb:ListStreams",
    }


@pytest.mark.parametrize(
    ("prefixes", "arns"),
    [
        ("s3://one/", ["arn:aws:s3:::one/*"]),
        ("s3://one/a/b/", ["arn:aws:s3:::one/a/b/*"]),
        ("s3://one/a/,s3://two/", ["arn:aws:s3:::one/a/*", "arn:aws:s3:::two/*"]),
        ("s3://one/a/,s3://two/,s3://three/c/", ["arn:aws:s3:::one/a/*", "arn:aws:s3:::two/*", "arn:aws:s3:::three/c/*"]),
    ],
)
def test_objects_are_readable_under_the_allowed_prefixes_only(
    resources: dict[str, Any], prefixes: str, arns: list[str]
) -> None:
    policy = resources["LabelFilesPolicy"]["Properties"]["PolicyDocument"]["Statement"][0]
    assert policy["Action"] == "s3:GetObject"
    assert _value(policy["Resource"], {"AllowedS3Prefixes": prefixes}) == arns


def test_no_prefix_means_no_reading_at_all(template: dict[str, Any], resources: dict[str, Any]) -> None:
    assert resources["LabelFilesPolicy"]["Condition"] == "NamesS3Prefixes"
    assert template["Conditions"]["NamesS3Prefixes"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "AllowedS3Prefixes"}, ""]}]}


@pytest.mark.parametrize("prefixes", ["", "s3://one/", "s3://one/a/b/", "s3://one/a/,s3://two/"])
def test_prefixes_that_say_where_they_end_are_accepted(template: dict[str, Any], prefixes: str) -> None:
    assert re.search(template["Parameters"]["AllowedS3Prefixes"]["AllowedPattern"], prefixes)


@pytest.mark.parametrize("prefixes", ["s3://one", "s3://one/a", "s3://one/*/", "*", "s3://one/, s3://two/", ",", "s3://one/,"])
def test_prefixes_that_would_grant_more_than_they_say_are_refused(template: dict[str, Any], prefixes: str) -> None:
    assert not re.search(template["Parameters"]["AllowedS3Prefixes"]["AllowedPattern"], prefixes)


def _rights(resources: dict[str, Any]) -> dict[str, dict[str, list[str]]]:
    """Role or policy -> action -> resources, by their names in the template."""
    found: dict[str, dict[str, list[str]]] = {name: {} for name, _ in _of_type(resources, "AWS::IAM::Role")}
    for name, statement in _statements(resources):
        assert statement["Effect"] == "Allow"
        for action in _listed(statement.get("Action", "everything but")):
            found.setdefault(name, {}).setdefault(action, []).extend(_named(statement["Resource"]))
    return found


def _statements(resources: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, role in _of_type(resources, "AWS::IAM::Role"):
        for policy in role.get("Policies", []):
            yield from ((name, statement) for statement in policy["PolicyDocument"]["Statement"])
    for name, policy in _of_type(resources, "AWS::IAM::ManagedPolicy"):
        yield from ((name, statement) for statement in policy["PolicyDocument"]["Statement"])


def _named(resource: Any) -> list[str]:  # noqa: ANN401 - a template's value
    match resource:
        case {"Fn::GetAtt": [name, attribute]}:
            return [f"{name}.{attribute}"]
        case {"Fn::Sub": text} | {"Ref": text}:
            return [str(text)]
        case {"Fn::Split": _}:
            return list(_value(resource, {"AllowedS3Prefixes": "s3://bucket/prefix/"}))
        case list():
            return [name for one in resource for name in _named(one)]
        case _:
            return [str(resource)]


def _of_type(resources: dict[str, Any], kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from ((name, one["Properties"]) for name, one in resources.items() if one["Type"] == kind)


def _policy(attached: dict[str, Any]) -> str:
    name = attached.get("Ref") or attached.get("Fn::Sub") or attached["Fn::If"][1]["Ref"]
    return str(name)


def _listed(actions: str | list[str]) -> list[str]:
    return [actions] if isinstance(actions, str) else actions


def _value(part: Any, parameters: dict[str, str]) -> Any:  # noqa: ANN401 - a template's values
    """What CloudFormation makes of Ref, Join and Split."""
    match part:
        case {"Ref": name}:
            return parameters[name]
        case {"Fn::Join": [delimiter, parts]}:
            return delimiter.join(_value(parts, parameters))
        case {"Fn::Split": [delimiter, text]}:
            return _value(text, parameters).split(delimiter)
        case list():
            return [_value(one, parameters) for one in part]
        case _:
            return part
