"""The function invokes itself asynchronously, by requests that Lambda's model allows."""

from collections.abc import Iterator
from typing import Any

import pytest
from boto3.session import Session
from botocore.stub import Stubber

from core.aws.own_function import OwnFunction
from core.errors import PartNotInvoked
from tests.contract.credentials import CREDENTIALS

ARN = "arn:aws:lambda:us-east-1:123456789012:function:glue-label-loop-ScheduleFunction"
REQUEST = {"FunctionName": ARN, "InvocationType": "Event", "Payload": b'{"part": 1, "parts": 4}'}


@pytest.fixture
def stubbed() -> Iterator[tuple[OwnFunction, Stubber]]:
    session: Any = Session(**CREDENTIALS)
    client = session.client("lambda")
    with Stubber(client) as stubber:
        yield OwnFunction(client, ARN), stubber
    client.close()


def test_invocation_is_asynchronous(stubbed: tuple[OwnFunction, Stubber]) -> None:
    function, stubber = stubbed
    stubber.add_response("invoke", {"StatusCode": 202}, REQUEST)
    function.invoke({"part": 1, "parts": 4})
    stubber.assert_no_pending_responses()


@pytest.mark.parametrize("code", ["TooManyRequestsException", "AccessDeniedException", "ServiceException"])
def test_refused_invocation_is_an_error(stubbed: tuple[OwnFunction, Stubber], code: str) -> None:
    function, stubber = stubbed
    stubber.add_client_error("invoke", code)
    with pytest.raises(PartNotInvoked, match=code):
        function.invoke({"part": 1, "parts": 4})
