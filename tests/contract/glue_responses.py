"""What may happen to the response to a start, by the exception that it becomes."""

from core.errors import ConcurrencyLimitReached, NotStarted, Refused, ResponseLost
from tests.contract.counting_server import Behavior, drop, hang, no_http, raw_reply, reply, reset


def refusal(code: str, status: int = 400) -> Behavior:
    return reply(status, {"__type": code, "Message": f"what {code} says"})


# What happens to the response, by the exception that it becomes.
LOST: dict[str, Behavior] = {
    "no answer in time": hang,
    "connection closed": drop,
    "connection reset": reset,
    "not HTTP": no_http,
    "500 without a body": raw_reply(500, b""),
    "502 from something in between": raw_reply(502, b"<html>Bad Gateway</html>"),
    "503": raw_reply(503, b"{}"),
    "504": raw_reply(504, b"{}"),
    "408 from something in between": raw_reply(408, b"<html>Request Timeout</html>"),
    "InternalServiceException": refusal("InternalServiceException", 500),
    "InternalServiceException as 400": refusal("InternalServiceException"),
    "OperationTimeoutException": refusal("OperationTimeoutException"),
    "ServiceUnavailable": refusal("ServiceUnavailableException", 503),
    "200 with a broken body": raw_reply(200, b"{'TaskRunId"),
    "200 with half a body": raw_reply(200, b'{"TaskRunId": "tsk', content_length=99),
    "200 without a body": raw_reply(200, b""),
    "200 without the id": reply(200, {}),
    "200 with a list": reply(200, ["tsk-1"]),
    "200 with a number": reply(200, 7),
    "200 with another id": reply(200, {"TaskRunId": {"S": "tsk-1"}}),
    "200 with null": reply(200, {"TaskRunId": None}),
}
AT_LIMIT = {name: refusal(name) for name in ("ConcurrentRunsExceededException", "ResourceNumberLimitExceededException")}
NOT_STARTED = {
    "ThrottlingException": refusal("ThrottlingException"),
    "Throttling": refusal("Throttling"),
    "TooManyRequestsException": refusal("TooManyRequestsException", 429),
    "429 from something in between": raw_reply(429, b"<html>Too Many Requests</html>"),
    "ExpiredTokenException": refusal("ExpiredTokenException"),
    "RequestLimitExceeded": refusal("RequestLimitExceeded"),
    "RequestExpired": refusal("RequestExpired"),
    "InvalidSignatureException": refusal("InvalidSignatureException"),
    "UnrecognizedClientException": refusal("UnrecognizedClientException"),
}
REFUSED = {
    name: refusal(name)
    for name in (
        "EntityNotFoundException",
        "InvalidInputException",
        "AccessDeniedException",
        "ValidationException",
        "MLTransformNotReadyException",
    )
}
RESPONSES = [
    *((name, behave, ResponseLost) for name, behave in LOST.items()),
    *((name, behave, ConcurrencyLimitReached) for name, behave in AT_LIMIT.items()),
    *((name, behave, NotStarted) for name, behave in NOT_STARTED.items()),
    *((name, behave, Refused) for name, behave in REFUSED.items()),
]
