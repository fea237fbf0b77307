"""What DynamoDB may answer instead of doing it, and what the ledger makes of that."""

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
from core.open_runs import open_run
from core.ports import RunFilter
from core.runs import Status
from tests.contract.runs import NOW, labeling, progress

CREDENTIALS: dict[str, Any] = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
SEEN = replace(labeling(), revision="seen")
STARTING = replace(SEEN, status=Status.STARTING)
RUNNING = progress("tsk-1", Status.RUNNING)


@pytest.fixture
def stubbed() -> Iterator[tuple[DynamoLedger, Stubber, list[float]]]:
    """A ledger on a scripted DynamoDB, and the pauses that it made."""
    pauses: list[float] = []
    client = boto3.client("dynamodb", config=Config(retries={"total_max_attempts": 1}), **CREDENTIALS)
    with Stubber(client) as stubber:
        yield DynamoLedger(client, "ledger", timedelta(days=90), lambda: "new", pauses.append), stubber, pauses
    client.close()


def in_each_others_way(stubber: Stubber, code: str) -> None:
    stubber.add_client_error(
        "transact_write_items",
        "TransactionCanceledException",
        modeled_fields={"CancellationReasons": [{"Code": code}, {"Code": "None"}]},
    )


@pytest.mark.parametrize("code", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
def test_two_transactions_in_each_others_way_are_tried_again(stubbed: Any, code: str) -> None:  # noqa: ANN401  the fixture's triple
    ledger, stubber, pauses = stubbed
    in_each_others_way(stubber, code)
    in_each_others_way(stubber, code)
    stubber.add_response("transact_write_items", {})
    assert ledger.write(None, labeling()).revision == "new"
    assert pauses == [0.02, 0.04]


def test_a_write_in_the_way_of_a_transaction_is_tried_again(stubbed: Any) -> None:  # noqa: ANN401  the fixture's triple
    ledger, stubber, pauses = stubbed
    stubber.add_client_error("put_item", "TransactionConflictException")
    stubber.add_response("put_item", {})
    assert ledger.write(SEEN, STARTING).revision == "new"
    stubber.add_client_error("update_item", "TransactionConflictException")
    stubber.add_response("update_item", {"Attributes": to_item(STARTING, timedelta(days=90))})
    assert ledger.advance(open_run(SEEN), RUNNING) == STARTING
    assert len(pauses) == 2


def test_a_crowd_without_end_is_given_up(stubbed: Any) -> None:  # noqa: ANN401  the fixture's triple
    ledger, stubber, pauses = stubbed
    for _ in range(8):
        in_each_others_way(stubber, "TransactionConflict")
    with pytest.raises(LedgerUnavailable):
        ledger.write(None, labeling())
    assert 3 < sum(pauses) < 10


@pytest.mark.parametrize(
    "code",
    ["ProvisionedThroughputExceededException", "ThrottlingException", "ResourceNotFoundException", "InternalServerError"],
)
def test_whatever_else_dynamodb_says_the_ledger_is_unavailable(stubbed: Any, code: str) -> None:  # noqa: ANN401  the fixture's triple
    ledger, stubber, _ = stubbed
    acts: list[tuple[str, Any]] = [
        ("transact_write_items", lambda: ledger.write(None, labeling())),
        ("put_item", lambda: ledger.write(SEEN, STARTING)),
        ("update_item", lambda: ledger.advance(open_run(SEEN), RUNNING)),
        ("delete_item", lambda: ledger.erase(SEEN)),
        ("get_item", lambda: ledger.get(SEEN.id)),
        ("query", lambda: ledger.page(RunFilter(), 10, None)),
        ("query", lambda: list(ledger.open_runs())),
        ("query", lambda: ledger.owned("tfm-1", NOW)),
    ]
    for operation, act in acts:
        stubber.add_client_error(operation, code)
        with pytest.raises(LedgerUnavailable, match=code):
            act()
