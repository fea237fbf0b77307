"""Least privilege where it counts: in the CloudFormation that SAM makes of the template, as written and as built."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.template.rights import MAY, of_type, rights

ROOT = Path(__file__).resolve().parents[2]
SAM_PYTHON = ROOT / ".venv-sam" / "bin" / "python"
WRITTEN, BUILT = ROOT / "template.yaml", ROOT / ".aws-sam" / "build" / "template.yaml"


@pytest.fixture(scope="module", params=[WRITTEN, BUILT], ids=["written", "built"])
def deployed(request: pytest.FixtureRequest) -> dict[str, Any]:
    template: Path = request.param
    if not SAM_PYTHON.exists():
        pytest.skip("SAM's translator is in .venv-sam, which `make test` sets up")
    if not template.exists() or template.stat().st_mtime < WRITTEN.stat().st_mtime:
        pytest.skip("`make build` has not built today's template.yaml")
    expand = [SAM_PYTHON, Path(__file__).parent / "expand.py", template]
    done = subprocess.run(expand, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603 - our own script
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["Resources"]
    return found


def test_roles_and_policies_may_do_what_is_listed_and_sam_adds_none(deployed: dict[str, Any]) -> None:
    assert rights(deployed) == MAY
    assert {kind for kind in (one["Type"] for one in deployed.values()) if kind.startswith("AWS::IAM::")} == {
        "AWS::IAM::Role",
        "AWS::IAM::ManagedPolicy",
    }


def test_functions_run_in_their_own_roles(deployed: dict[str, Any]) -> None:
    assert {name: one["Role"] for name, one in of_type(deployed, "AWS::Lambda::Function")} == {
        f"{name}Function": {"Fn::GetAtt": [f"{name}Role", "Arn"]} for name in ("Api", "Bus", "Schedule", "Announce")
    }


def test_functions_are_invoked_by_our_api_and_our_rules_only(deployed: dict[str, Any]) -> None:
    for name, permission in of_type(deployed, "AWS::Lambda::Permission"):
        assert permission["Action"] == "lambda:InvokeFunction"
        assert _invoker(permission) == ("api" if name.startswith("ApiFunction") else "rule")


def _invoker(permission: dict[str, Any]) -> str:
    match permission:
        case {
            "Principal": "apigateway.amazonaws.com",
            "FunctionName": {"Ref": "ApiFunctionAliaslive"},
            "SourceArn": {"Fn::Sub": [str(arn), {"__ApiId__": {"Ref": "Api"}}]},
        } if arn.partition("${AWS::AccountId}:")[2].startswith("${__ApiId__}/"):
            return "api"
        case {
            "Principal": "events.amazonaws.com",
            "FunctionName": {"Ref": "BusFunction"},
            "SourceArn": {"Fn::GetAtt": ["BusFunctionCommands" | "BusFunctionUploads", "Arn"]},
        }:
            return "rule"
    return f"somebody else: {permission}"
