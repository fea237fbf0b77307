"""What a deployment has to know of the AWS account: who deploys, where to, and what is deployed there already."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from ops.deploy.stages import Stage

_QUICK = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 2})


@dataclass(frozen=True)
class DeployedStack:
    """An existing stack: its parameters and outputs, both empty if there is none."""

    parameters: Mapping[str, str]
    outputs: Mapping[str, str]


class CannotDeploy(Exception):
    """Credentials or region are missing or invalid; the text says which."""


@dataclass(frozen=True)
class Account:
    account_id: str
    caller_arn: str
    session: Session

    @property
    def region(self) -> str:
        return str(self.session.region_name)

    def stack(self, name: str) -> DeployedStack:
        """Raises CannotDeploy."""
        try:
            (stack,) = _client(self.session, "cloudformation").describe_stacks(StackName=name)["Stacks"]
        except ClientError as error:
            if "does not exist" in str(error):
                return DeployedStack({}, {})
            raise CannotDeploy(f"the stack {name} cannot be read: {error}") from error
        except BotoCoreError as error:
            raise CannotDeploy(f"CloudFormation cannot be reached: {error}") from error
        return DeployedStack(
            {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in stack.get("Parameters", [])},
            {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])},
        )


def find_account(stage: Stage) -> Account:
    """The account that boto3's credentials are for. Raises CannotDeploy."""
    try:
        session = Session(profile_name=stage.profile or None, region_name=stage.region or os.environ.get("AWS_REGION"))
        if session.region_name is None:
            raise CannotDeploy("no region: set AWS_REGION, or `region` in samconfig.toml or in your AWS profile")
        identity = _client(session, "sts").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        raise CannotDeploy(f"no valid AWS credentials: {error}") from error
    return Account(identity["Account"], identity["Arn"], session)


def _client(session: Session, service: str) -> Any:  # noqa: ANN401  boto3 makes clients at run time
    make: Any = session.client
    return make(service, config=_QUICK)
