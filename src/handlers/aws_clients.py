"""AWS's clients, all of one botocore session: what a session reads and parses is read and parsed once."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import UnknownRegionError, UnknownServiceError
from botocore.loaders import Loader

# Made by ops/package, and only there; botocore reads its own 127 roots again on every new connection.
AMAZON_ROOTS = Path(__file__).resolve().parent.parent / "amazon-roots.pem"
# Settings of botocore's with which endpoints are looked for as botocore does, by its rules, in the data that it finds.
_FOR_RULES = ("use_fips_endpoint", "use_dualstack_endpoint", "data_path")


class Session:
    """Makes clients as boto3's session does, without what boto3 adds to botocore's."""

    def __init__(self) -> None:
        self._session = botocore.session.Session()
        if not any(map(self._session.get_config_variable, _FOR_RULES)):
            self._session.register_component("data_loader", EndpointsByTable())
        self._roots = roots(os.environ, self._session, AMAZON_ROOTS)

    def client(self, service_name: str, *, config: Config) -> Any:  # noqa: ANN401  every service has a type of its own
        return self._session.create_client(service_name, config=config, verify=self._roots)


class EndpointsByTable(Loader):
    """Botocore's data, without the rules for endpoints of all services but S3, whose endpoints are the buckets' own.

    Botocore then looks an endpoint up in its table of regions, once, where it goes through the rules at each call, a twentieth
    of its work. The two differ in endpoints for FIPS and for dual stack only.
    """

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> Any:  # noqa: ANN401  JSON
        if type_name == "endpoint-rule-set-1" and service_name != "s3":
            raise UnknownServiceError(service_name=service_name, known_service_names="s3")
        return super().load_service_model(service_name, type_name, api_version)


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
