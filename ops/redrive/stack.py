"""The outputs and functions of a deployed stack, in AWS or in the local cloud."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boto3.session import Session
from botocore.config import Config

# Longer than the slowest function may take, and no retry: a second invocation is the operator's decision.
_INVOKE_CONFIG = Config(read_timeout=310, retries={"total_max_attempts": 1})


@dataclass(frozen=True)
class Deployed:
    """A stack. `outputs`: its CloudFormation outputs by key."""

    session: Session
    outputs: Mapping[str, str]
    endpoint: str | None = None

    def client(self, service: str) -> Any:  # noqa: ANN401  boto3 makes clients at run time
        make: Any = self.session.client
        return make(service, endpoint_url=self.endpoint, config=_INVOKE_CONFIG if service == "lambda" else None)

    def invoke(self, output: str, event: object) -> Any:  # noqa: ANN401  the function's own result
        """Invoke the function named by the stack's `output` and return its result. Raises FunctionFailed."""
        response = self.client("lambda").invoke(FunctionName=self.outputs[output], Payload=json.dumps(event).encode())
        payload = response["Payload"].read()
        if response.get("FunctionError"):
            raise FunctionFailed(payload.decode(errors="replace")[:500])
        return json.loads(payload) if payload else None


class FunctionFailed(Exception):
    """The function raised; the text is its error."""


def find(stack: str, session: Session, endpoint: str | None = None) -> Deployed:
    """Raises botocore's ClientError if there is no such stack."""
    make: Any = session.client
    (description,) = make("cloudformation", endpoint_url=endpoint).describe_stacks(StackName=stack)["Stacks"]
    return Deployed(session, {output["OutputKey"]: output["OutputValue"] for output in description["Outputs"]}, endpoint)


def local_session(stack_file: Path) -> tuple[Session, str]:
    """Session and endpoint of the local cloud, from the file that `make up` writes. Raises FileNotFoundError."""
    document = json.loads(stack_file.read_text())
    environment = document["env"]
    session = Session(
        environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"], region_name=environment["AWS_REGION"]
    )
    return session, document["awsEndpointUrl"]
