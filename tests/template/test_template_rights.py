"""Least privilege: what each role may do, and that nothing is granted wholesale."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

STARTS = {"LedgerPolicy", "TaskRunsPolicy", "LabelFilesPolicy"}


def test_every_function_has_a_role_of_its_own(functions: dict[str, Any]) -> None:
    roles = [one["Role"]["Fn::GetAtt"][0] for one in functions.values()]
    assert len(set(roles)) == len(functions) == 4


def test_no_statement_grants_every_resource_or_action(resources: dict[str, Any]) -> None:
    statements = list(_statements(resources))
    assert len(statements) > 10
    for statement in statements:
        assert statement["Effect"] == "Allow"
        assert statement["Resource"] not in ("*", ["*"])
        assert not [action for action in _listed(statement["Action"]) if "*" in action]


def test_only_our_own_policies_are_attached(resources: dict[str, Any]) -> None:
    for name, role in _of_type(resources, "AWS::IAM::Role"):
        attached = {_policy(one) for one in role.get("ManagedPolicyArns", [])}
        assert attached == (STARTS if name in ("ApiRole", "BusRole", "ScheduleRole") else set())


def test_only_the_announcing_function_sends_events_and_only_as_ourselves(resources: dict[str, Any]) -> None:
    senders = [
        (name, statement)
        for name, role in _of_type(resources, "AWS::IAM::Role")
        for policy in role["Policies"]
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


def _statements(resources: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for _, role in _of_type(resources, "AWS::IAM::Role"):
        for policy in role["Policies"]:
            yield from policy["PolicyDocument"]["Statement"]
    for _, policy in _of_type(resources, "AWS::IAM::ManagedPolicy"):
        yield from policy["PolicyDocument"]["Statement"]


def _of_type(resources: dict[str, Any], kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from ((name, one["Properties"]) for name, one in resources.items() if one["Type"] == kind)


def _policy(attached: dict[str, Any]) -> str:
    name = attached.get("Ref") or attached["Fn::If"][1]["Ref"]
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
