"""What a deployed stack is made of, asked of CloudFormation: the same in AWS and in the local cloud."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boto3.session import Session
from botocore.config import Config

# As long as the slowest function may take, and once: asking twice is for the operator to decide.
_PATIENT = Config(read_timeout=310, retries={"total_max_attempts": 1})


@dataclass(frozen=True)
class Deployed:
    """`outputs` are the stack's; clients are made on demand."""

    session: Session
    outputs: Mapping[str, str]
    endpoint: str | None = None

    def client(self, service: str) -> Any:  # noqa: ANN401  boto3 makes clients at run time
        make: Any = self.session.client
        return make(service, endpoint_url=self.endpoint, config=_PATIENT if service == "lambda" else None)

    def invoke(self, output: str, event: object) -> Any:  # noqa: ANN401  the function's own answer
        """Call the function named by the stack's `output` and return its answer. Raises FunctionFailed."""
        answer = self.client("lambda").invoke(FunctionName=self.outputs[output], Payload=json.dumps(event).encode())
        payload = answer["Payload"].read()
        if answer.get("FunctionError"):
            raise FunctionFailed(payload.decode(errors="replace")[:500])
        return json.loads(payload) if payload else None


class FunctionFailed(Exception):
    """The function was called and raised; the text is its error."""


def find(stack: str, session: Session, endpoint: str | None = None) -> Deployed:
    """Raises botocore's ClientError if there is no such stack."""
    make: Any = session.client
    (described,) = make("cloudformation", endpoint_url=endpoint).describe_stacks(StackName=stack)["Stacks"]
    return Deployed(session, {one["OutputKey"]: one["OutputValue"] for one in described["Outputs"]}, endpoint)


def local_session(stack_file: Path) -> tuple[Session, str]:
    """The session and endpoint of the local cloud that `make up` has noted. Raises FileNotFoundError."""
    noted = json.loads(stack_file.read_text())
    environment = noted["env"]
    session = Session(
        environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"], region_name=environment["AWS_REGION"]
    )
    return session, noted["awsEndpointUrl"]
