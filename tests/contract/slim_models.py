"""The reduced botocore models that are deployed, without the rest of the package."""

from pathlib import Path

import botocore.session
from boto3.session import Session
from botocore.loaders import Loader

from handlers.aws_clients import DataLoader
from ops.package.botocore_data import slim_data, write_data

SRC = Path(__file__).resolve().parents[2] / "src"
SERVICES = ("dynamodb", "events", "glue", "lambda", "s3", "sqs")
FULL = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)


def slim_loader(folder: Path) -> Loader:
    """A loader of what is deployed in place of botocore's data, with the endpoint rules of all services."""
    write_data(slim_data(SRC), folder)
    return DataLoader(folder, endpoints_by_table=False)


def session_on(loader: Loader) -> Session:
    """A session whose clients use the models of `loader`."""
    core = botocore.session.Session()
    core.register_component("data_loader", loader)
    core.set_credentials("test", "test")
    core.set_config_variable("region", "us-east-1")
    return Session(botocore_session=core)
