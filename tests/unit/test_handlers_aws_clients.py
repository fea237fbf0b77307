"""Clients look their credentials up at the first call, and again after a renewal."""

from typing import Any

import pytest
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.exceptions import NoCredentialsError

from handlers.aws_clients import Session


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/dev/null")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")


class Stopped(Exception):
    """Raised in place of sending a request; has its access key."""


def signer_of(client: Any) -> str:  # noqa: ANN401  botocore makes clients at run time
    """The access key that the client signs a request with, which is not sent."""

    def stop(request: AWSRequest, **_: object) -> None:
        raise Stopped(str(request.headers["Authorization"]).partition("Credential=")[2].partition("/")[0])

    client.meta.events.register("before-send", stop)
    with pytest.raises(Stopped) as stopped:
        client.list_event_buses()
    return str(stopped.value)


def use(access_key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


def test_client_is_made_before_there_are_credentials_and_signs_with_those_of_its_first_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client = Session().client("events", config=Config())
    use("FIRST", monkeypatch)
    assert signer_of(client) == "FIRST"


def test_credentials_are_looked_up_again_only_after_a_renewal(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session()
    client = session.client("events", config=Config())
    use("FIRST", monkeypatch)
    assert signer_of(client) == "FIRST"
    use("SECOND", monkeypatch)
    assert signer_of(client) == "FIRST"
    session.renew()
    assert signer_of(client) == "SECOND"


def test_call_without_credentials_fails_as_botocores_own_do() -> None:
    client: Any = Session().client("events", config=Config())
    with pytest.raises(NoCredentialsError):
        client.list_event_buses()
