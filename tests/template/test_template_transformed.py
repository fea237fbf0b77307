"""Least privilege in the CloudFormation that the SAM transform makes of template.yaml, as written and as built."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.template.permissions import EXPECTED, allowed, properties_of_type

ROOT = Path(__file__).resolve().parents[2]
SAM_PYTHON = ROOT / ".venv-sam" / "bin" / "python"
API_FUNCTIONS = {("ApiFunctionAliaslive", "Api"), ("LabelFunction", "LabelApi")}
WRITTEN, BUILT = ROOT / "template.yaml", ROOT / ".aws-sam" / "build" / "template.yaml"


@pytest.fixture(scope="module", params=[WRITTEN, BUILT], ids=["written", "built"])
def deployed(request: pytest.FixtureRequest) -> dict[str, Any]:
    template: Path = request.param
    if not SAM_PYTHON.exists():
        pytest.skip("the SAM transform is in .venv-sam, which `make test` sets up")
    if not template.exists() or template.stat().st_mtime < WRITTEN.stat().st_mtime:
        pytest.skip("the built template is missing or older than template.yaml: `make build`")
    command = [SAM_PYTHON, Path(__file__).parent / "sam_transform.py", template]
    process = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603 - our own script
    assert process.returncode == 0, process.stderr
    resources: dict[str, Any] = json.loads(process.stdout)["Resources"]
    return resources


def test_roles_and_policies_allow_exactly_what_is_listed(deployed: dict[str, Any]) -> None:
    assert allowed(deployed) == EXPECTED
    types = {resource["Type"] for resource in deployed.values()}
    assert {name for name in types if name.startswith("AWS::IAM::")} == {"AWS::IAM::Role", "AWS::IAM::ManagedPolicy"}


def test_functions_run_in_their_own_roles(deployed: dict[str, Any]) -> None:
    assert {name: function["Role"] for name, function in properties_of_type(deployed, "AWS::Lambda::Function")} == {
        f"{name}Function": {"Fn::GetAtt": [f"{name}Role", "Arn"]} for name in ("Api", "Label", "Bus", "Schedule", "Announce")
    }


def test_functions_are_invoked_by_our_api_and_our_rules_only(deployed: dict[str, Any]) -> None:
    for name, permission in properties_of_type(deployed, "AWS::Lambda::Permission"):
        assert permission["Action"] == "lambda:InvokeFunction"
        assert _invoker(permission) == ("api" if name.startswith(("ApiFunction", "LabelFunction")) else "rule")


def _invoker(permission: dict[str, Any]) -> str:
    match permission:
        case {
            "Principal": "apigateway.amazonaws.com",
            "FunctionName": {"Ref": str(function)},
            "SourceArn": {"Fn::Sub": [str(arn), {"__ApiId__": {"Ref": str(api)}}]},
        } if (function, api) in API_FUNCTIONS and arn.partition("${AWS::AccountId}:")[2].startswith("${__ApiId__}/"):
            return "api"
        case {
            "Principal": "events.amazonaws.com",
            "FunctionName": {"Ref": "BusFunction"},
            "SourceArn": {"Fn::GetAtt": ["BusFunctionCommands" | "BusFunctionUploads", "Arn"]},
        }:
            return "rule"
    return f"unexpected: {permission}"
