"""The service runs on the reduced botocore models that are deployed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from boto3.session import Session
from botocore.awsrequest import AWSRequest
from moto import mock_aws

from core.cancel import cancel
from core.ports import RunFilter
from core.queries import get_run, list_runs
from core.reconcile import reconcile
from core.runs import Status
from core.start import start
from handlers import wiring
from local.cloud.template import ledger_table
from local.glue.in_process import answer_in_process
from tests.contract.credentials import CREDENTIALS
from tests.contract.slim_models import session_on, slim_loader
from tests.fakes.service import import_command, labeling_command
from tests.glue_emulator.emulator import EmulatorFactory
from tests.glue_emulator.people import TWO_SETS


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return session_on(slim_loader(tmp_path / "data"))


@pytest.fixture
def calls() -> list[str]:
    return []


@pytest.fixture
def deps(session: Session, calls: list[str], tmp_path: Path) -> Iterator[tuple[Any, str, str]]:
    """(dependencies on the slim models, transform id, bucket)."""
    with mock_aws(config={"core": {"passthrough": {"services": ["glue"]}}}):
        full: Any = Session(**CREDENTIALS)
        s3, dynamodb = full.client("s3"), full.client("dynamodb")
        dynamodb.create_table(TableName="ledger", **ledger_table())
        emulators = EmulatorFactory(s3, {})
        emulator, service = emulators.start(tmp_path / "emulator")
        emulator.put_object("labels/tfm-1.csv", TWO_SETS)
        transform_id = emulator.create_transform()
        answer_in_process(session.events, service)

        def note(request: AWSRequest, operation_name: str, **_: object) -> None:
            assert request.url
            calls.append(operation_name)

        session.events.register("request-created", note)
        wired = wiring.build_dependencies(
            {"LEDGER_TABLE": "ledger", "ALLOWED_S3_PREFIXES": f"s3://{emulator.bucket}/"}, session
        )
        yield wired, transform_id, emulator.bucket
        service.close()
        for client in (*emulators.clients, s3, dynamodb):
            client.close()


def test_start_import_read_cancel_and_reconcile_run_on_the_slim_models(deps: tuple[Any, str, str], calls: list[str]) -> None:
    wired, transform_id, bucket = deps
    run = start(labeling_command("first", transform_id, output=f"s3://{bucket}/sets"), wired).run
    assert start(labeling_command("first", transform_id, output=f"s3://{bucket}/sets"), wired).run == run
    imported = start(import_command("import", transform_id, f"s3://{bucket}/labels/tfm-1.csv"), wired).run
    assert {run.status, imported.status} <= {Status.STARTING, Status.RUNNING, Status.SUCCEEDED}
    assert get_run(run.id, run.requested_by, wired).id == run.id
    assert list_runs(RunFilter(), run.requested_by, 10, None, wired).items
    waiting = start(labeling_command("second", transform_id, output=f"s3://{bucket}/sets"), wired).run
    assert cancel(waiting.id, wired).id == waiting.id
    reconcile(wired)
    refused = start(labeling_command("refused", "tfm-none", output=f"s3://{bucket}/sets"), wired).run
    assert refused.status is Status.REFUSED
    assert {"TransactWriteItems", "PutItem", "GetItem", "Query", "GetObject", "GetMLTaskRuns", "CancelMLTaskRun"} <= set(calls)
