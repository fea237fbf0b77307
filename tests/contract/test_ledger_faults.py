"""DynamoDB's errors, and what the ledger makes of each."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.stub import Stubber

from core.aws.items import to_item
from core.aws.ledger import DynamoLedger
from core.errors import LedgerUnavailable
from core.open_runs import Checkpoint, Place, open_run
from core.ports import RunFilter
from core.runs import Status
from tests.contract.credentials import CREDENTIALS
from tests.contract.sample_runs import NOW, labeling, progress

STORED = replace(labeling(), revision="stored")
STARTING = replace(STORED, status=Status.STARTING)
RUNNING = progress("tsk-1", Status.RUNNING)


@pytest.fixture
def stubbed() -> Iterator[tuple[DynamoLedger, Stubber, list[float]]]:
    """A ledger on a stubbed DynamoDB client, and the seconds it paused between retries."""
    pause_seconds: list[float] = []
    client = boto3.client("dynamodb", config=Config(retries={"total_max_attempts": 1}), **CREDENTIALS)
    with Stubber(client) as stubber:
        yield DynamoLedger(client, "ledger", timedelta(days=90), lambda: "new", pause_seconds.append), stubber, pause_seconds
    client.close()


def add_transaction_conflict(stubber: Stubber, code: str) -> None:
    stubber.add_client_error(
        "transact_write_items",
        "TransactionCanceledException",
        modeled_fields={"CancellationReasons": [{"Code": code}, {"Code": "None"}]},
    )


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
def test_conflicting_transactions_are_retried(stubbed: Any, code: str) -> None:  # noqa: ANN401  see the fixture
    ledger, stubber, pause_seconds = stubbed
    add_transaction_conflict(stubber, code)
    add_transaction_conflict(stubber, code)
    stubber.add_response("transact_write_items", {})
    assert ledger.write(None, labeling()).revision == "new"
    assert pause_seconds == [0.02, 0.04]


def test_write_that_conflicts_with_a_transaction_is_retried(stubbed: Any) -> None:  # noqa: ANN401  see the fixture
    ledger, stubber, pause_seconds = stubbed
    stubber.add_client_error("put_item", "TransactionConflictException")
    stubber.add_response("put_item", {})
    assert ledger.write(STORED, STARTING).revision == "new"
    stubber.add_client_error("update_item", "TransactionConflictException")
    stubber.add_response("update_item", {"Attributes": to_item(STARTING, timedelta(days=90))})
    assert ledger.record_progress(open_run(STORED), RUNNING) == STARTING
    assert len(pause_seconds) == 2


def test_endless_conflicts_raise_ledger_unavailable(stubbed: Any) -> None:  # noqa: ANN401  see the fixture
    ledger, stubber, pause_seconds = stubbed
    for _ in range(8):
        add_transaction_conflict(stubber, "TransactionConflict")
    with pytest.raises(LedgerUnavailable):
        ledger.write(None, labeling())
    assert 3 < sum(pause_seconds) < 10


@pytest.mark.parametrize(
    "code",
    ["ProvisionedThroughputExceededException", "ThrottlingException", "ResourceNotFoundException", "InternalServerError"],
)
def test_other_dynamodb_errors_raise_ledger_unavailable(stubbed: Any, code: str) -> None:  # noqa: ANN401  see the fixture
    ledger, stubber, _ = stubbed
    operations: list[tuple[str, Any]] = [
        ("transact_write_items", lambda: ledger.write(None, labeling())),
        ("put_item", lambda: ledger.write(STORED, STARTING)),
        ("update_item", lambda: ledger.record_progress(open_run(STORED), RUNNING)),
        ("delete_item", lambda: ledger.delete(STORED)),
        ("get_item", lambda: ledger.get(STORED.id)),
        ("query", lambda: ledger.list_runs(RunFilter(), 10, None)),
        ("query", lambda: list(ledger.open_runs())),
        ("query", lambda: ledger.known_task_run_ids("tfm-1", NOW)),
        ("get_item", lambda: ledger.checkpoint("0/1")),
        ("put_item", lambda: ledger.save_checkpoint("0/1", Checkpoint(Place("0", "tfm-1"), None))),
        ("delete_item", lambda: ledger.save_checkpoint("0/1", None)),
    ]
    for operation, call in operations:
        stubber.add_client_error(operation, code)
        with pytest.raises(LedgerUnavailable, match=code):
            call()
