"""The Lambda function that this process runs, which invokes itself for the other parts of a round."""

import json
from collections.abc import Mapping
from typing import Protocol

from botocore.exceptions import BotoCoreError, ClientError

from core.errors import PartNotInvoked


class LambdaClient(Protocol):
    def invoke(self, *, FunctionName: str, InvocationType: str, Payload: bytes) -> object:  # noqa: N803  boto3's own
        """As boto3's."""


class OwnFunction:
    """The function with the ARN `arn`."""

    def __init__(self, client: LambdaClient, arn: str) -> None:
        self._client = client
        self._arn = arn

    def invoke(self, event: Mapping[str, int]) -> None:
        """Invoke the function with `event`, asynchronously. Raises PartNotInvoked."""
        try:
            self._client.invoke(FunctionName=self._arn, InvocationType="Event", Payload=json.dumps(event).encode())
        except (ClientError, BotoCoreError) as error:
            raise PartNotInvoked(str(error)) from error
