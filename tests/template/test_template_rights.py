"""Least privilege: what each role may do, and that nothing is granted wholesale."""

import re
from copy import deepcopy
from typing import Any

import pytest

from tests.template.rights import MAY, TRANSFORMS, listed, of_type, policy_name, rights, value

STARTS = {"LedgerPolicy", "TaskRunsPolicy", "LabelFilesPolicy", "KeyPolicy"}
# API Gateway refuses an account's logging role that has less than AWS's own policy.
AWS_OWN = {"ApiGatewayLogsWriter": "arn:${AWS::Partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"}


def test_every_function_has_a_role_of_its_own(functions: dict[str, Any]) -> None:
    roles = [one["Role"]["Fn::GetAtt"][0] for one in functions.values()]
    assert len(set(roles)) == len(functions) == 4


def test_every_role_and_policy_may_do_what_is_listed_here_and_nothing_else(resources: dict[str, Any]) -> None:
    assert rights(resources) == MAY


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
    assert rights(changed) != MAY


def test_no_other_resource_carries_rights(resources: dict[str, Any], functions: dict[str, Any]) -> None:
    kinds = {one["Type"] for one in resources.values()}
    assert kinds & {"AWS::IAM::Policy", "AWS::IAM::User", "AWS::IAM::Group", "AWS::S3::BucketPolicy"} == set()
    assert not [name for name, one in functions.items() if "Policies" in one]


def test_roles_are_assumed_by_the_one_service_that_needs_them(resources: dict[str, Any]) -> None:
    trusted = {
        name: [(one["Principal"], one["Action"]) for one in role["AssumeRolePolicyDocument"]["Statement"]]
        for name, role in of_type(resources, "AWS::IAM::Role")
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
    for name, role in of_type(resources, "AWS::IAM::Role"):
        attached = {policy_name(one) for one in role.get("ManagedPolicyArns", [])}
        assert attached == (
            {AWS_OWN[name]} if name in AWS_OWN else STARTS if name in ("ApiRole", "BusRole", "ScheduleRole") else {"KeyPolicy"}
        )


def test_only_the_announcing_function_sends_events_and_only_as_ourselves(resources: dict[str, Any]) -> None:
    senders = [
        (name, statement)
        for name, role in of_type(resources, "AWS::IAM::Role")
        for policy in role.get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
        if "events:PutEvents" in listed(statement["Action"])
    ]
    assert [name for name, _ in senders] == ["AnnounceRole"]
    assert senders[0][1]["Condition"] == {"StringEquals": {"events:source": "glue-label-loop"}}
    assert senders[0][1]["Resource"] == {"Fn::GetAtt": ["Bus", "Arn"]}


def test_the_announcing_function_cannot_touch_the_ledger_or_glue(resources: dict[str, Any]) -> None:
    role = dict(of_type(resources, "AWS::IAM::Role"))["AnnounceRole"]
    actions = {a for p in role["Policies"] for s in p["PolicyDocument"]["Statement"] for a in listed(s["Action"])}
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
    assert value(policy["Resource"], {"AllowedS3Prefixes": prefixes}) == arns


def test_no_prefix_means_no_reading_at_all(template: dict[str, Any], resources: dict[str, Any]) -> None:
    assert resources["LabelFilesPolicy"]["Condition"] == "NamesS3Prefixes"
    assert template["Conditions"]["NamesS3Prefixes"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "AllowedS3Prefixes"}, ""]}]}


@pytest.mark.parametrize("prefixes", ["", "s3://one/", "s3://one/a/b/", "s3://one/a/,s3://two/"])
def test_prefixes_that_say_where_they_end_are_accepted(template: dict[str, Any], prefixes: str) -> None:
    assert re.search(template["Parameters"]["AllowedS3Prefixes"]["AllowedPattern"], prefixes)


@pytest.mark.parametrize("prefixes", ["s3://one", "s3://one/a", "s3://one/*/", "*", "s3://one/, s3://two/", ",", "s3://one/,"])
def test_prefixes_that_would_grant_more_than_they_say_are_refused(template: dict[str, Any], prefixes: str) -> None:
    assert not re.search(template["Parameters"]["AllowedS3Prefixes"]["AllowedPattern"], prefixes)
