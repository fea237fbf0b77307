"""A fresh AWS for every test: moto, the Glue emulator in front of it, and the environment of the functions."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws

from handlers import wiring
from local.glue.aws import Aws, BotoObjects, MemoryCatalog
from local.glue.faults import FaultPlan
from local.glue.service import GlueService, build_service
from local.glue.settings import Settings
from local.glue.store import Store
from local.glue.transforms import new_transform_document
from tests.component.handler_harness import BUS, DEAD_LETTERS, TABLE, HandlerHarness, clear_caches, client
from tests.component.sample_events import ACCOUNT, BUCKET, TRANSFORM
from tests.glue_emulator.people import table_input

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "LEDGER_TABLE": TABLE,
    "EVENT_BUS_NAME": BUS,
    "UNPUBLISHED_CHANGES_URL": f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/{DEAD_LETTERS}",
    "ALLOWED_S3_PREFIXES": f"s3://{BUCKET}/",
    "CONFIRM_AFTER_SECONDS": "0",
    "MAX_QUEUED_PER_TRANSFORM": "2",
    "OPERATORS": f"arn:aws:iam::{ACCOUNT}:role/labeling-team",  # the role that signs the REST samples
    "POWERTOOLS_SERVICE_NAME": "glue-label-loop",
}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, socket_disabled: None) -> None:  # noqa: ARG001  no test may reach the network
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def glue(tmp_path: Path) -> Iterator[GlueService]:
    """The Glue emulator with the samples' transform. Runs stay in STARTING until its faults are cleared."""
    with mock_aws(config={"core": {"passthrough": {"services": ["glue"]}}}):
        catalog = MemoryCatalog({("people", "people"): table_input("people", f"s3://{BUCKET}/people/")})
        _add_transform(tmp_path / "glue", catalog)
        aws = Aws(catalog, BotoObjects(client("s3")))
        quick = Settings(starting_seconds=0, running_seconds=0)
        held = FaultPlan(hold_runs=True)
        service = build_service(tmp_path / "glue", aws, settings=quick, faults=held, account_id=ACCOUNT)
        yield service
        service.close()


@pytest.fixture
def harness(glue: GlueService, monkeypatch: pytest.MonkeyPatch) -> HandlerHarness:
    clear_caches(vars(wiring))
    harness = HandlerHarness(glue)
    monkeypatch.setattr(wiring, "Session", harness.session)
    return harness


def _add_transform(folder: Path, catalog: MemoryCatalog) -> None:
    request = {
        "Name": "people",
        "Role": f"arn:aws:iam::{ACCOUNT}:role/glue",
        "InputRecordTables": [{"DatabaseName": "people", "TableName": "people"}],
        "Parameters": {"TransformType": "FIND_MATCHES", "FindMatchesParameters": {"PrimaryKeyColumnName": "id"}},
    }
    store = Store(folder)
    store.transforms.add(TRANSFORM, json.loads(json.dumps(new_transform_document(TRANSFORM, request, catalog, 0.0))), {})
    store.close()
