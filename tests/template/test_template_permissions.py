"""Least privilege: each role allows exactly the actions that its function uses, on the resources that it uses."""

import re
from copy import deepcopy
from typing import Any

import pytest

from tests.template.permissions import EXPECTED, TRANSFORMS, allowed, as_list, policy_name, properties_of_type, resolve

TASK_RUN_POLICIES = {"LedgerPolicy", "TaskRunsPolicy", "LabelFilesPolicy", "LabelFileKeysPolicy", "KeyPolicy"}
# API Gateway rejects an account's logging role that has less than this policy of AWS.
AWS_POLICIES = {
    "ApiGatewayLogsWriter": "arn:${AWS::Partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
}


def test_every_function_has_a_role_of_its_own(functions: dict[str, Any]) -> None:
    roles = [function["Role"]["Fn::GetAtt"][0] for function in functions.values()]
    assert len(set(roles)) == len(functions) == 5


def test_roles_and_policies_allow_exactly_what_is_as_list(resources: dict[str, Any]) -> None:
    assert allowed(resources) == EXPECTED


@pytest.mark.parametrize(
    "statement",
    [
        {"Effect": "Allow", "Action": "s3:*", "Resource": {"Fn::GetAtt": ["ApiLogs", "Arn"]}},
        {"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"},
        {"Effect": "Allow", "Action": ["glue:DeleteMLTransform"], "Resource": {"Fn::Sub": TRANSFORMS[0]}},
        {"Effect": "Allow", "NotAction": "iam:*", "Resource": {"Fn::GetAtt": ["ApiLogs", "Arn"]}},
    ],
)
def test_that_list_detects_an_additional_permission(resources: dict[str, Any], statement: dict[str, Any]) -> None:
    changed = deepcopy(resources)
    changed["ApiRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].append(statement)
    assert allowed(changed) != EXPECTED


def test_no_other_resource_grants_permissions(resources: dict[str, Any], functions: dict[str, Any]) -> None:
    types = {resource["Type"] for resource in resources.values()}
    assert types & {"AWS::IAM::Policy", "AWS::IAM::User", "AWS::IAM::Group", "AWS::S3::BucketPolicy"} == set()
    assert not [name for name, function in functions.items() if "Policies" in function]


def test_only_the_service_that_needs_a_role_may_assume_it(resources: dict[str, Any]) -> None:
    trusted = {
        name: [(statement["Principal"], statement["Action"]) for statement in role["AssumeRolePolicyDocument"]["Statement"]]
        for name, role in properties_of_type(resources, "AWS::IAM::Role")
    }
    services = {"SchedulerRole": "scheduler", "ApiGatewayLogsWriter": "apigateway"}
    assert trusted == {
        name: [({"Service": f"{services.get(name, 'lambda')}.amazonaws.com"}, "sts:AssumeRole")] for name in trusted
    }


def test_the_customer_managed_key_is_used_only_through_the_services_that_store_data(resources: dict[str, Any]) -> None:
    (statement,) = resources["KeyPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    services = {host["Fn::Sub"].split(".")[0] for host in statement["Condition"]["StringEquals"]["kms:ViaService"]}
    assert services == {"dynamodb", "events", "lambda", "sqs"}


KEY = "arn:aws:kms:us-east-1:123456789012:key/0123abcd-12ab-34cd-56ef-0123456789ab"


def test_keys_of_label_files_decrypt_only_through_s3(template: dict[str, Any], resources: dict[str, Any]) -> None:
    (statement,) = resources["LabelFileKeysPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Action": "kms:Decrypt",
        "Resource": {"Ref": "LabelFileKmsKeyArns"},
        "Condition": {"StringEquals": {"kms:ViaService": {"Fn::Sub": "s3.${AWS::Region}.${AWS::URLSuffix}"}}},
    }
    assert resources["LabelFileKeysPolicy"]["Condition"] == "NamesLabelFileKeys"
    given = {"Fn::Equals": [{"Fn::Select": [0, {"Ref": "LabelFileKmsKeyArns"}]}, ""]}
    assert template["Conditions"]["NamesLabelFileKeys"] == {"Fn::Not": [given]}


def test_exactly_the_functions_that_read_label_files_may_use_their_keys(
    functions: dict[str, Any], resources: dict[str, Any]
) -> None:
    def with_policy(policy: str) -> set[str]:
        roles = {name: function["Role"]["Fn::GetAtt"][0] for name, function in functions.items()}
        return {
            name
            for name, role in roles.items()
            if policy in map(policy_name, resources[role]["Properties"]["ManagedPolicyArns"])
        }

    readers = {"ApiFunction", "LabelFunction", "BusFunction", "ScheduleFunction"}
    assert with_policy("LabelFileKeysPolicy") == with_policy("LabelFilesPolicy") == readers


@pytest.mark.parametrize("arn", ["", KEY, KEY.replace("0123abcd-12ab-34cd-56ef-", "mrk-"), KEY.replace("aws", "aws-cn")])
def test_key_arns_are_accepted(template: dict[str, Any], arn: str) -> None:
    assert re.search(template["Parameters"]["LabelFileKmsKeyArns"]["AllowedPattern"], arn)


@pytest.mark.parametrize(
    "arn", ["*", "alias/labels", KEY[: KEY.index("key/")] + "alias/labels", KEY[: KEY.index("key/")] + "key/*"]
)
def test_what_would_name_other_keys_is_rejected(template: dict[str, Any], arn: str) -> None:
    """IAM compares with the key's ARN, so an alias would allow nothing."""
    assert not re.search(template["Parameters"]["LabelFileKmsKeyArns"]["AllowedPattern"], arn)


def test_only_our_own_policies_are_attached(resources: dict[str, Any]) -> None:
    for name, role in properties_of_type(resources, "AWS::IAM::Role"):
        attached = {policy_name(policy) for policy in role.get("ManagedPolicyArns", [])}
        assert attached == (
            {AWS_POLICIES[name]}
            if name in AWS_POLICIES
            else TASK_RUN_POLICIES
            if name in ("ApiRole", "BusRole", "ScheduleRole")
            else TASK_RUN_POLICIES - {"TaskRunsPolicy"}
            if name == "LabelRole"
            else {"KeyPolicy"}
        )


def test_only_the_announcer_sends_events_and_only_under_our_source(resources: dict[str, Any]) -> None:
    senders = [
        (name, statement)
        for name, role in properties_of_type(resources, "AWS::IAM::Role")
        for policy in role.get("Policies", [])
        for statement in policy["PolicyDocument"]["Statement"]
        if "events:PutEvents" in as_list(statement["Action"])
    ]
    assert [name for name, _ in senders] == ["AnnounceRole"]
    assert senders[0][1]["Condition"] == {"StringEquals": {"events:source": "glue-label-loop"}}
    assert senders[0][1]["Resource"] == {"Fn::GetAtt": ["Bus", "Arn"]}


def test_a_sender_of_commands_is_pinned_to_the_source_in_its_tag(resources: dict[str, Any], functions: dict[str, Any]) -> None:
    (statement,) = resources["CommandSendersPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    commands = functions["BusFunction"]["Events"]["Commands"]["Properties"]["Pattern"]["detail-type"]
    assert statement == {
        "Effect": "Allow",
        "Action": "events:PutEvents",
        "Resource": {"Fn::GetAtt": ["Bus", "Arn"]},
        "Condition": {
            "StringEquals": {"events:source": "${aws:PrincipalTag/event-source}", "events:detail-type": commands},
        },
    }


def test_the_announcer_can_neither_access_the_ledgers_items_nor_glue(resources: dict[str, Any]) -> None:
    role = dict(properties_of_type(resources, "AWS::IAM::Role"))["AnnounceRole"]
    actions = {
        action
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        for action in as_list(statement["Action"])
    }
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
    assert resolve(policy["Resource"], {"AllowedS3Prefixes": prefixes}) == arns


def test_without_a_prefix_no_object_is_readable(template: dict[str, Any], resources: dict[str, Any]) -> None:
    assert resources["LabelFilesPolicy"]["Condition"] == "NamesS3Prefixes"
    assert template["Conditions"]["NamesS3Prefixes"] == {"Fn::Not": [{"Fn::Equals": [{"Ref": "AllowedS3Prefixes"}, ""]}]}


@pytest.mark.parametrize("prefixes", ["", "s3://one/", "s3://one/a/b/", "s3://one/a/,s3://two/"])
def test_prefixes_that_end_in_a_slash_are_accepted(template: dict[str, Any], prefixes: str) -> None:
    assert re.search(template["Parameters"]["AllowedS3Prefixes"]["AllowedPattern"], prefixes)


@pytest.mark.parametrize("prefixes", ["s3://one", "s3://one/a", "s3://one/*/", "*", "s3://one/, s3://two/", ",", "s3://one/,"])
def test_prefixes_that_would_allow_more_than_intended_are_rejected(template: dict[str, Any], prefixes: str) -> None:
    assert not re.search(template["Parameters"]["AllowedS3Prefixes"]["AllowedPattern"], prefixes)
