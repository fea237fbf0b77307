"""AWS clients that share one botocore session, so that configuration and service models are read once."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Lock
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import UnknownRegionError, UnknownServiceError
from botocore.loaders import Loader

# ops/package adds both to the deployed functions; without them, botocore's own are used.
_TASK_ROOT = Path(__file__).resolve().parent.parent
AWS_DATA = _TASK_ROOT / "aws-data"
AMAZON_ROOTS = _TASK_ROOT / "amazon-roots.pem"  # botocore reads its own 127 certificates for each new connection
# Settings whose endpoints only botocore's endpoint rules resolve, and the one that adds an operator's own data.
_NEEDS_RULES = ("use_fips_endpoint", "use_dualstack_endpoint", "data_path")


class Session:
    """Makes clients as boto3's session does, from botocore alone."""

    def __init__(self) -> None:
        self._session = botocore.session.Session()
        self._session.register_component("data_loader", data_loader(self._session))
        self._credentials = Credentials(self._session.get_component("credential_provider"))
        self._session.register_component("credential_provider", self._credentials)
        self._ca_bundle = ca_bundle(os.environ, self._session, AMAZON_ROOTS)
        self._clients: list[Any] = []

    def client(self, service_name: str, *, config: Config) -> Any:  # noqa: ANN401  every service has a type of its own
        client: Any = self._session.create_client(service_name, config=config, verify=self._ca_bundle)
        self._clients.append(client)
        return client

    def renew(self) -> None:
        """Drop credentials and connections, which a restored snapshot must not use; the next call gets new ones."""
        self._credentials.renew()
        for client in self._clients:
            client.close()


class Credentials:
    """Credentials for botocore's clients, looked up by `provider` at the first call instead of when a client is made."""

    method = "deferred"  # botocore asks credentials how they were found

    def __init__(self, provider: Any) -> None:  # noqa: ANN401  botocore has no public type for it
        self._provider = provider
        self._credentials: Any = None

    def renew(self) -> None:
        self._credentials = None

    def load_credentials(self) -> "Credentials":
        """What botocore calls of a provider."""
        return self

    def get_frozen_credentials(self) -> Any:  # noqa: ANN401  see above
        """What botocore signs a request with; None if there are none, which botocore reports."""
        credentials = self._credentials or self._provider.load_credentials()
        self._credentials = credentials
        return credentials and credentials.get_frozen_credentials()

    def get_deferred_property(self, name: str) -> Callable[[], Any]:
        return lambda: getattr(self.get_frozen_credentials(), name, None)


class DataLoader(Loader):
    """Loads service models from `folder`, if it exists, instead of botocore's own data, which is not deployed.

    With `endpoints_by_table`, only S3 has endpoint rules, since its endpoints contain the bucket. For other services botocore
    then looks up the endpoint in its table of regions, once, instead of evaluating rules in each call (5 % of its work). The
    results differ only for FIPS and dual-stack endpoints.
    """

    def __init__(self, folder: Path, search_paths: list[str] | None = None, *, endpoints_by_table: bool) -> None:
        if folder.exists():
            self.BUILTIN_DATA_PATH = str(folder)
        super().__init__(extra_search_paths=search_paths)
        self._endpoints_by_table = endpoints_by_table

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> Any:  # noqa: ANN401  JSON
        if self._endpoints_by_table and type_name == "endpoint-rule-set-1" and service_name != "s3":
            raise UnknownServiceError(service_name=service_name, known_service_names="s3")
        return super().load_service_model(service_name, type_name, api_version)


def data_loader(session: botocore.session.Session) -> DataLoader:
    data_path: str = session.get_config_variable("data_path") or ""
    needs_rules = any(map(session.get_config_variable, _NEEDS_RULES))
    return DataLoader(AWS_DATA, data_path.split(os.pathsep) if data_path else None, endpoints_by_table=not needs_rules)


def ca_bundle(environment: Mapping[str, str], session: botocore.session.Session, amazon_roots: Path) -> str | None:
    """The file `amazon_roots` if every endpoint is AWS's in its public partition; else None, for botocore's own bundle.

    Proxies, an operator's endpoints and other partitions may have certificates from other roots.
    """
    redirects = ("AWS_ENDPOINT_URL", "HTTPS_PROXY", "https_proxy")
    is_redirected = any(value for name, value in environment.items() if name.startswith(redirects))
    if is_redirected or session.get_config_variable("ca_bundle") is not None or not _is_public_partition(session):
        return None
    return str(amazon_roots) if amazon_roots.exists() else None


class LazyClient:
    """A client that is created when it is first used."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._lock = Lock()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  any attribute of the client
        with self._lock:
            if "_client" not in self.__dict__:
                self._client = self._make()
        return getattr(self._client, name)


def _is_public_partition(session: botocore.session.Session) -> bool:
    try:
        return bool(session.get_partition_for_region(session.get_config_variable("region") or "") == "aws")
    except UnknownRegionError:
        return False
