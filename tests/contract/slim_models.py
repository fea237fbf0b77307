"""The reduced botocore models that are deployed, without the rest of the package."""

from pathlib import Path

import botocore.session
from boto3.session import Session
from botocore.loaders import Loader

from ops.package.botocore_data import slim_data, write_data

SRC = Path(__file__).resolve().parents[2] / "src"
SERVICES = ("dynamodb", "events", "glue", "s3")
FULL = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)


class TrustedLoader(Loader):
    """Treats every path as botocore's own data, as it is in the package.

    botocore would prefer an endpoint table from a custom path over its endpoint rules.
    """

    def is_builtin_path(self, path: str) -> bool:  # noqa: ARG002  the same for every path
        return True


def slim_loader(folder: Path) -> Loader:
    """A loader of the deployed models only."""
    write_data(slim_data(SRC), folder)
    return TrustedLoader(extra_search_paths=[str(folder)], include_default_search_paths=False)


def session_on(loader: Loader) -> Session:
    """A session whose clients use the models of `loader`."""
    core = botocore.session.Session()
    core.register_component("data_loader", loader)
    core.set_credentials("test", "test")
    core.set_config_variable("region", "us-east-1")
    return Session(botocore_session=core)
