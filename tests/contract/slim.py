"""The models that are deployed, without the package around them."""

from pathlib import Path

import botocore.session
from boto3.session import Session
from botocore.loaders import Loader

from ops.package.botocore_data import slim_data, write_data

SRC = Path(__file__).resolve().parents[2] / "src"
SERVICES = ("dynamodb", "events", "glue", "s3")
FULL = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)


class OfPackage(Loader):
    """Takes all data for botocore's own, as in the package they are: it trusts others' tables of endpoints above its rules."""

    def is_builtin_path(self, path: str) -> bool:  # noqa: ARG002  wherever it is
        return True


def slim_loader(folder: Path) -> Loader:
    """What botocore finds in the package, and nothing else."""
    write_data(slim_data(SRC), folder)
    return OfPackage(extra_search_paths=[str(folder)], include_default_search_paths=False)


def session_on(loader: Loader) -> Session:
    """A session of its own, whose clients are made of what `loader` finds."""
    made = botocore.session.Session()
    made.register_component("data_loader", loader)
    made.set_credentials("test", "test")
    made.set_config_variable("region", "us-east-1")
    return Session(botocore_session=made)
