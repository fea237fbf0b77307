"""AWS's clients, all of one botocore session: what a session reads and parses is read and parsed once."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import UnknownRegionError

# Made by ops/package, and only there; botocore reads its own 127 roots again on every new connection.
AMAZON_ROOTS = Path(__file__).resolve().parent.parent / "amazon-roots.pem"


class Session:
    """Makes clients as boto3's session does, without what boto3 adds to botocore's."""

    def __init__(self) -> None:
        self._session = botocore.session.Session()
        self._roots = roots(os.environ, self._session, AMAZON_ROOTS)

    def client(self, service_name: str, *, config: Config) -> Any:  # noqa: ANN401  every service has a type of its own
        return self._session.create_client(service_name, config=config, verify=self._roots)


def roots(environment: Mapping[str, str], session: botocore.session.Session, amazon: Path) -> str | None:
    """The file `amazon` if all that will be spoken to is AWS's own in its public partition; else None: botocore's own choice.

    An operator's bundle, endpoints or proxies have certificates that Amazon need not have signed, and so have other partitions.
    """
    told = ("AWS_ENDPOINT_URL", "HTTPS_PROXY", "https_proxy")
    elsewhere = any(value for name, value in environment.items() if name.startswith(told))
    if elsewhere or session.get_config_variable("ca_bundle") is not None or not _is_public(session):
        return None
    return str(amazon) if amazon.exists() else None


class OnDemand:
    """A client that is made when something is first asked of it."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._making = Lock()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  whatever the client has
        with self._making:
            if "_made" not in self.__dict__:
                self._made = self._make()
        return getattr(self._made, name)


def _is_public(session: botocore.session.Session) -> bool:
    try:
        return bool(session.get_partition_for_region(session.get_config_variable("region") or "") == "aws")
    except UnknownRegionError:
        return False
