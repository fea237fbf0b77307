"""The code runs on the models that are deployed, as it does on botocore's own."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from boto3.session import Session
from botocore.awsrequest import AWSRequest
from moto import mock_aws

from core.cancel import cancel
from core.ports import RunFilter
from core.queries import find, listing
from core.reconcile import reconcile
from core.runs import Status
from core.start import start
from handlers import wiring
from local.cloud.template import ledger_table
from local.glue.in_process import answer_in_process
from tests.contract.slim import session_on, slim_loader
from tests.fakes.loop import import_command, labeling_command
from tests.glue_emulator.lab import TWO_SETS, Bench


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return session_on(slim_loader(tmp_path / "data"))


@pytest.fixture
def calls() -> list[str]:
    return []


@pytest.fixture
def deps(session: Session, calls: list[str], tmp_path: Path) -> Iterator[tuple[Any, str, str]]:
    """Wired on the slim models: the world, a transform and a bucket."""
    with mock_aws(config={"core": {"passthrough": {"services": ["glue"]}}}):
        outside: Any = Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
        s3, dynamodb = outside.client("s3"), outside.client("dynamodb")
        dynamodb.create_table(TableName="ledger", **ledger_table())
        bench = Bench(s3, {})
        lab, service = bench.open(tmp_path / "engine")
        lab.put("labels/one.csv", TWO_SETS)
        transform_id = lab.transform()
        answer_in_process(session.events, service)

        def note(request: AWSRequest, operation_name: str, **_: object) -> None:
            assert request.url
            calls.append(operation_name)

        session.events.register("request-created", note)
        made = wiring.build_dependencies({"LEDGER_TABLE": "ledger", "ALLOWED_S3_PREFIXES": f"s3://{lab.bucket}/"}, session)
        yield made, transform_id, lab.bucket
        service.close()
        for client in (*bench.clients, s3, dynamodb):
            client.close()


def test_starting_importing_looking_cancelling_and_reconciling_work_on_them(
    deps: tuple[Any, str, str], calls: list[str]
) -> None:
    wired, transform_id, bucket = deps
    run = start(labeling_command("one", transform_id, output=f"s3://{bucket}/sets"), wired).run
    assert start(labeling_command("one", transform_id, output=f"s3://{bucket}/sets"), wired).run == run
    imported = start(import_command("two", transform_id, f"s3://{bucket}/labels/one.csv"), wired).run
    assert {run.status, imported.status} <= {Status.STARTING, Status.RUNNING, Status.SUCCEEDED}
    assert find(run.id, run.requested_by, wired).id == run.id
    assert listing(RunFilter(), run.requested_by, 10, None, wired).items
    waiting = start(labeling_command("three", transform_id, output=f"s3://{bucket}/sets"), wired).run
    assert cancel(waiting.id, wired).id == waiting.id
    reconcile(wired)
    refused = start(labeling_command("four", "tfm-none", output=f"s3://{bucket}/sets"), wired).run
    assert refused.status is Status.REFUSED
    assert {"TransactWriteItems", "PutItem", "GetItem", "Query", "GetObject", "GetMLTaskRuns", "CancelMLTaskRun"} <= set(calls)
