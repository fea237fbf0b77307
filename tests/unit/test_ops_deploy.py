"""`make deploy` checks before it builds, and says what would make the service useless."""

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ops.deploy import aws_account
from ops.deploy.__main__ import ROOT, main
from ops.deploy.stages import read_overrides, read_stage

SAMCONFIG = """
[default.deploy.parameters]
stack_name = "default-stack"
[default.global.parameters]
stack_name = "default-stack"
[dev.deploy.parameters]
stack_name = "loop-dev"
parameter_overrides = ["LogRetentionDays=14"]
[prod.deploy.parameters]
stack_name = "loop-prod"
region = "eu-west-1"
parameter_overrides = ["AllowedS3Prefixes=s3://bucket/", 'CallerPrefixes={"*": []}']
"""
SAM = """#!/bin/sh
echo "sam $* in $AWS_DEFAULT_REGION" >> "{log}"
[ "$1" != "{fails}" ]
"""


class FakeAws:
    """What STS and CloudFormation answer; `stacks` by name."""

    def __init__(self) -> None:
        self.stacks: dict[str, dict[str, Any]] = {}
        self.error: ClientError | None = None

    def get_caller_identity(self) -> dict[str, str]:
        if self.error:
            raise self.error
        return {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/deployer"}

    def describe_stacks(self, StackName: str) -> dict[str, Any]:  # noqa: N803  boto3's name
        if StackName not in self.stacks:
            message = f"Stack with id {StackName} does not exist"
            raise ClientError({"Error": {"Code": "ValidationError", "Message": message}}, "DescribeStacks")
        return {"Stacks": [self.stacks[StackName]]}


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> FakeAws:
    for name in ("AWS_PROFILE", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    fake = FakeAws()
    monkeypatch.setattr(aws_account, "_client", lambda _session, _service: fake)
    return fake


class Deployment:
    """Runs `make deploy`'s command on a samconfig.toml and a sam that only notes how it was called."""

    def __init__(self, folder: Path) -> None:
        self.samconfig, self.sam, self._log = folder / "samconfig.toml", folder / "sam", folder / "log"
        self.samconfig.write_text(SAMCONFIG)

    def run(self, stage: str, *, fails: str = "") -> int:
        self.sam.write_text(SAM.format(log=self._log, fails=fails))
        self.sam.chmod(0o755)
        return main(["--stage", stage], self.samconfig, self.sam)

    @property
    def calls(self) -> list[str]:
        return self._log.read_text().splitlines() if self._log.exists() else []


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return Deployment(tmp_path)


def test_a_stage_with_prefixes_is_built_and_deployed_in_its_region(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deployment.run("prod") == 0
    assert deployment.calls == [
        "sam build in eu-west-1",
        "sam deploy --config-env prod --region eu-west-1 in eu-west-1",
    ]
    output = capsys.readouterr().out
    assert output.startswith("Deploying loop-prod to account 123456789012, region eu-west-1, as arn:aws:")
    assert "WARNING" not in output


def test_without_prefixes_it_says_before_the_build_and_at_the_end_that_every_path_is_refused(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deployment.run("dev", fails="build") == 1
    assert "refuses every path" in capsys.readouterr().out
    assert deployment.calls == ["sam build in us-west-2"]
    assert deployment.run("dev") == 0
    warnings = [line for line in capsys.readouterr().out.splitlines() if "refuses every path" in line]
    assert len(warnings) == 2


def test_prefixes_of_the_deployed_stack_count(deployment: Deployment, aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    """CloudFormation keeps the value of a parameter that a deployment does not set."""
    aws.stacks["loop-dev"] = {
        "Parameters": [{"ParameterKey": "AllowedS3Prefixes", "ParameterValue": "s3://bucket/"}],
        "Outputs": [{"OutputKey": "ApiUrl", "OutputValue": "https://api.example/live"}],
    }
    assert deployment.run("dev") == 0
    output = capsys.readouterr().out
    assert "WARNING" not in output
    assert output.endswith("The API is at https://api.example/live\n")


@pytest.mark.parametrize("stage", ["staging", "default", ""])
def test_an_unknown_stage_is_an_error_before_anything_is_built(
    deployment: Deployment, capsys: pytest.CaptureFixture[str], stage: str
) -> None:
    assert deployment.run(stage) == 2
    assert f"no stage {stage!r}; it has: dev, prod" in capsys.readouterr().out
    assert deployment.calls == []


def test_invalid_credentials_are_an_error_before_anything_is_built(
    deployment: Deployment, aws: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.error = ClientError({"Error": {"Code": "ExpiredToken", "Message": "The token has expired"}}, "GetCallerIdentity")
    assert deployment.run("dev") == 2
    assert "no valid AWS credentials" in capsys.readouterr().out
    assert deployment.calls == []


def test_a_missing_region_or_profile_is_an_error_before_anything_is_built(
    deployment: Deployment, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_REGION")
    assert deployment.run("dev") == 2
    assert "no region" in capsys.readouterr().out
    monkeypatch.setenv("AWS_PROFILE", "nowhere")
    assert deployment.run("dev") == 2
    assert "The config profile (nowhere) could not be found" in capsys.readouterr().out
    assert deployment.calls == []


@pytest.mark.parametrize(
    "overrides",
    [
        ["A=s3://b/", 'B={"x": ["y"]}'],
        """A=s3://b/ B='{"x": ["y"]}'""",
        {"A": "s3://b/", "B": '{"x": ["y"]}'},
        ['A="s3://b/"', 'B={"x": ["y"]}'],
    ],
)
def test_overrides_are_read_in_each_form_that_sam_takes(overrides: Any) -> None:  # noqa: ANN401  three forms
    assert read_overrides(overrides) == {"A": "s3://b/", "B": '{"x": ["y"]}'}


def test_the_shipped_stages_can_be_read() -> None:
    for name in ("dev", "prod"):
        stage = read_stage(ROOT / "samconfig.toml", name)
        assert stage.stack_name == f"glue-label-loop-{name}"
        assert "LogRetentionDays" in stage.parameters
