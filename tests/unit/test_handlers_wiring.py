"""Settings from the environment: defaults, limits, and errors that name the variable."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from core.errors import InvalidRequest
from core.paths import AllowedPrefixes
from core.ports import Policy
from handlers.wiring import BusSettings, LoopSettings

REQUIRED = {"LEDGER_TABLE": "ledger", "ALLOWED_S3_PREFIXES": "s3://bucket/a/"}


def test_defaults_are_those_of_the_contract() -> None:
    settings = LoopSettings.model_validate(REQUIRED)
    assert settings.retention_days == 90
    assert settings.policy == Policy(
        allowed_prefixes=AllowedPrefixes(("s3://bucket/a/",)),
        confirm_after=timedelta(seconds=120),
        start_deadline=timedelta(days=1),
        max_queued=100,
    )


def test_every_setting_is_read() -> None:
    optional = {
        "CONFIRM_AFTER_SECONDS": "1.5",
        "START_DEADLINE_SECONDS": "60",
        "MAX_QUEUED_PER_TRANSFORM": "0",
        "RETENTION_DAYS": "7",
        "PATH": "/bin",
    }
    settings = LoopSettings.model_validate(REQUIRED | optional)
    assert (settings.policy.confirm_after, settings.policy.start_deadline) == (timedelta(seconds=1.5), timedelta(minutes=1))
    assert (settings.policy.max_queued, settings.retention_days) == (0, 7)


def test_no_allowed_prefix_rejects_every_path() -> None:
    settings = LoopSettings.model_validate(REQUIRED | {"ALLOWED_S3_PREFIXES": ""})
    assert not settings.policy.allowed_prefixes.allow("s3://bucket/a/b")


def test_role_in_the_mapping_stands_for_all_its_sessions() -> None:
    prefixes = '{"arn:aws:iam::123456789012:role/teams/team-a": ["s3://bucket/a/team-a/"]}'
    policy = LoopSettings.model_validate(REQUIRED | {"CALLER_S3_PREFIXES": prefixes}).policy
    assert policy.allowed_for("arn:aws:sts::123456789012:assumed-role/team-a").prefixes == ("s3://bucket/a/team-a/",)
    assert policy.allowed_for("arn:aws:sts::123456789012:assumed-role/team-b").prefixes == ("s3://bucket/a/",)


def test_operators_are_named_by_the_arns_of_roles_and_users() -> None:
    arns = "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/Ops, arn:aws:iam::123456789012:user/olga"
    policy = LoopSettings.model_validate(REQUIRED | {"OPERATORS": arns}).policy
    assert policy.operators == {"arn:aws:sts::123456789012:assumed-role/Ops", "arn:aws:iam::123456789012:user/olga"}
    assert LoopSettings.model_validate(REQUIRED | {"OPERATORS": ""}).policy.operators == frozenset()


def test_transforms_of_a_role_are_those_of_its_sessions() -> None:
    setting = '{"arn:aws:iam::123456789012:role/teams/team-a": ["tfm-a-*"], "*": []}'
    transforms = LoopSettings.model_validate(REQUIRED | {"CALLER_TRANSFORMS": setting}).policy.caller_transforms
    transforms.check("tfm-a-1", "arn:aws:sts::123456789012:assumed-role/team-a")
    with pytest.raises(InvalidRequest, match="allowed: none"):
        transforms.check("tfm-a-1", "arn:aws:sts::123456789012:assumed-role/team-b")


@pytest.mark.parametrize(
    ("setting", "name"),
    [
        ({"LEDGER_TABLE": ""}, "LEDGER_TABLE"),
        ({"ALLOWED_S3_PREFIXES": "bucket"}, "ALLOWED_S3_PREFIXES"),
        ({"CALLER_S3_PREFIXES": "alice"}, "CALLER_S3_PREFIXES"),
        ({"CALLER_S3_PREFIXES": '{"alice": "s3://bucket/"}'}, "CALLER_S3_PREFIXES"),
        ({"CALLER_S3_PREFIXES": '{"alice": ["bucket"]}'}, "CALLER_S3_PREFIXES"),
        ({"CALLER_TRANSFORMS": "alice"}, "CALLER_TRANSFORMS"),
        ({"CALLER_TRANSFORMS": '{"alice": "tfm-1"}'}, "CALLER_TRANSFORMS"),
        ({"CALLER_TRANSFORMS": '{"alice": ["tfm 1"]}'}, "CALLER_TRANSFORMS"),
        ({"CALLER_TRANSFORMS": '{"alice": [""]}'}, "CALLER_TRANSFORMS"),
        ({"CONFIRM_AFTER_SECONDS": "-1"}, "CONFIRM_AFTER_SECONDS"),
        ({"CONFIRM_AFTER_SECONDS": "soon"}, "CONFIRM_AFTER_SECONDS"),
        ({"START_DEADLINE_SECONDS": "0"}, "START_DEADLINE_SECONDS"),
        ({"MAX_QUEUED_PER_TRANSFORM": "-1"}, "MAX_QUEUED_PER_TRANSFORM"),
        ({"MAX_QUEUED_PER_TRANSFORM": "1.5"}, "MAX_QUEUED_PER_TRANSFORM"),
        ({"RETENTION_DAYS": "0"}, "RETENTION_DAYS"),
    ],
)
def test_invalid_setting_is_named(setting: dict[str, str], name: str) -> None:
    with pytest.raises(ValidationError, match=name):
        LoopSettings.model_validate(REQUIRED | setting)


@pytest.mark.parametrize(
    ("model", "environment", "name"),
    [
        (LoopSettings, {"ALLOWED_S3_PREFIXES": ""}, "LEDGER_TABLE"),
        (LoopSettings, {"LEDGER_TABLE": "ledger"}, "ALLOWED_S3_PREFIXES"),
        (BusSettings, {}, "EVENT_BUS_NAME"),
        (BusSettings, {"EVENT_BUS_NAME": ""}, "EVENT_BUS_NAME"),
    ],
)
def test_missing_setting_is_named(model: Any, environment: dict[str, str], name: str) -> None:  # noqa: ANN401  either settings
    with pytest.raises(ValidationError, match=name):
        model.model_validate(environment)
