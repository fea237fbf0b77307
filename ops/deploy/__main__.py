"""`make deploy`: check stage, credentials and settings, then build the functions and deploy the stack."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

from ops.deploy.aws_account import CannotDeploy, find_account
from ops.deploy.stages import Stage, UnknownStage, read_stage

ROOT = Path(__file__).resolve().parents[2]
SAM = ROOT / ".venv-sam" / "bin" / "sam"
EVERY_PATH_REFUSED = (
    "WARNING: AllowedS3Prefixes is empty, so the service refuses every path, and can start nothing.\n"
    '         Add "AllowedS3Prefixes=s3://my-bucket/my-prefix/" to parameter_overrides of [{stage}.deploy.parameters]\n'
    "         in samconfig.toml (docs/operating.md), and deploy again."
)


def main(arguments: list[str] | None = None, samconfig: Path = ROOT / "samconfig.toml", sam: Path = SAM) -> int:
    parser = argparse.ArgumentParser(prog="python -m ops.deploy", description=__doc__)
    parser.add_argument("--stage", default="dev", help="a stage of samconfig.toml (dev)")
    args = parser.parse_args(arguments)
    try:
        stage = read_stage(samconfig, args.stage)
        account = find_account(stage)
        before = account.stack(stage.stack_name)
    except (UnknownStage, CannotDeploy) as error:
        _print(f"Nothing was built or deployed: {error}")
        return 2
    _print(f"Deploying {stage.stack_name} to account {account.account_id}, region {account.region}, as {account.caller_arn}")
    warning = settings_warning(stage, before.parameters.get("AllowedS3Prefixes", ""))
    _print(warning)
    environment = os.environ | {"AWS_DEFAULT_REGION": account.region}  # sam build needs a region, too
    for command in (["build"], ["deploy", "--config-env", stage.name, "--region", account.region]):
        process = subprocess.run([str(sam), *command], cwd=samconfig.parent, env=environment, check=False)  # noqa: S603  sam's own commands
        if process.returncode != 0:
            return process.returncode
    try:
        outputs = account.stack(stage.stack_name).outputs
    except CannotDeploy:  # it was deployed all the same
        outputs = {}
    _print(f"The API is at {outputs['ApiUrl']}" if "ApiUrl" in outputs else "")
    _print(warning)
    return 0


def settings_warning(stage: Stage, deployed_prefixes: str) -> str:
    """What makes the deployed service useless, and how to mend it; empty if nothing does.

    A parameter that the stage does not set keeps its value in an existing stack: `deployed_prefixes`.
    """
    if stage.parameters.get("AllowedS3Prefixes", deployed_prefixes):
        return ""
    return EVERY_PATH_REFUSED.format(stage=stage.name)


def _print(text: str) -> None:
    if text:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
