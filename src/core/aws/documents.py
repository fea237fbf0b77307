"""JSON documents in the ledger's table, beside its runs: one item each, in none of its indexes."""

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from core.errors import LedgerUnavailable
from core.labeling.ports import Document, StaleDocument

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoDocuments:
    """core.labeling.ports.Documents. `new_revision` returns a different token on every call."""

    def __init__(self, client: "DynamoDBClient", table: str, new_revision: Callable[[], str]) -> None:
        self._client = client
        self._table = table
        self._new_revision = new_revision

    def read(self, key: str) -> Document | None:
        try:
            item = self._client.get_item(TableName=self._table, Key={"id": {"S": key}}, ConsistentRead=True).get("Item")
        except (ClientError, BotoCoreError) as error:
            raise LedgerUnavailable(str(error)) from error
        return _document(item)

    def write(self, key: str, text: str, expected: str | None, expires_on: datetime) -> str:
        revision = self._new_revision()
        item: dict[str, Any] = {
            "id": {"S": key},
            "document": {"S": text},
            "revision": {"S": revision},
            "expiresAt": {"N": str(int(expires_on.timestamp()))},
        }
        try:
            self._client.put_item(
                TableName=self._table, Item=item, ReturnValuesOnConditionCheckFailure="ALL_OLD", **_condition(expected)
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            current = _document(error.response.get("Item"))
            if current is None or current.revision != revision:  # else this very write had succeeded, and its response was lost
                raise StaleDocument(current) from error
        except (ClientError, BotoCoreError) as error:
            raise LedgerUnavailable(str(error)) from error
        return revision


def _condition(expected: str | None) -> dict[str, Any]:
    if expected is None:
        return {"ConditionExpression": "attribute_not_exists(id)"}
    return {"ConditionExpression": "revision = :expected", "ExpressionAttributeValues": {":expected": {"S": expected}}}


def _document(item: Any) -> Document | None:  # noqa: ANN401  botocore's stubs type it in two forms
    return Document(item["document"]["S"], item["revision"]["S"]) if item else None
