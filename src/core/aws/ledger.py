"""The ledger in DynamoDB: one item a run, every write conditional, the transform's line in the same transaction."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from random import uniform
from typing import TYPE_CHECKING, Any, Never

from botocore.exceptions import BotoCoreError, ClientError

from core.aws.items import OPEN_SHARD, from_item, is_run, requested_key, to_item
from core.aws.line import line_key, line_operation
from core.aws.pages import query_page
from core.errors import Conflict, LedgerUnavailable, LineAhead, LineFull
from core.line import LineMove, is_next, line_move
from core.ports import RunFilter, RunPage
from core.runs import Run

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_ROUNDS = 8
_FIRST_PAUSE = 0.02  # seconds; doubles, so that eight rounds take some 5 s


class _Moved(Exception):
    """Somebody else touched the line at the same moment: look again."""


class DynamoLedger:
    """core.ports.Ledger on a DynamoDB table; `new_revision` gives a token that was never given before."""

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        retention: timedelta,
        new_revision: Callable[[], str],
        pause: Callable[[float], None] | None = None,
    ) -> None:
        self._client = client
        self._table = table
        self._retention = retention
        self._new_revision = new_revision
        self._pause = pause or _sleep_about

    def write(self, before: Run | None, after: Run, *, max_waiting: int | None = None) -> Run:
        after = replace(after, revision=self._new_revision())
        put: dict[str, Any] = {"Item": to_item(after, self._retention)} | self._still(before)
        move = line_move(before, after)
        self._carry_out("Put", put, after, move, max_waiting)
        return after

    def erase(self, run: Run) -> None:
        move = line_move(run, None)
        try:
            self._carry_out("Delete", {"Key": {"id": {"S": run.id}}} | self._still(run), run, move, None)
        except Conflict as conflict:
            if conflict.current is not None:
                raise

    def get(self, run_id: str) -> Run | None:
        item = self._get({"id": {"S": run_id}})
        return from_item(item) if item and is_run(item) else None

    def page(self, which: RunFilter, limit: int, cursor: str | None) -> RunPage:
        try:
            return query_page(self._client, self._table, which, limit, cursor)
        except (ClientError, BotoCoreError) as fault:
            raise LedgerUnavailable(str(fault)) from fault

    def open_runs(self) -> Iterator[Run]:
        return (
            from_item(item)
            for item in self._query(
                IndexName="open",
                KeyConditionExpression="openShard = :shard",
                ExpressionAttributeValues={":shard": {"S": OPEN_SHARD}},
            )
        )

    def owned(self, transform_id: str, since: datetime) -> frozenset[str]:
        items = self._query(
            IndexName="byTransform",
            KeyConditionExpression="transformId = :transform AND requestedKey >= :since",
            ExpressionAttributeValues={":transform": {"S": transform_id}, ":since": {"S": requested_key(since)}},
            ProjectionExpression="taskRunId",
        )
        return frozenset(item["taskRunId"]["S"] for item in items if "taskRunId" in item)

    # --- how a write is carried out

    def _carry_out(self, verb: str, operation: dict[str, Any], run: Run, move: LineMove, max_waiting: int | None) -> None:
        """Put or delete the run's item together with `move`, again while others get in between."""
        operation = {"TableName": self._table, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"} | operation
        try:
            for attempt in range(_ROUNDS):
                try:
                    self._try(verb, operation, run, move, max_waiting)
                except _Moved:
                    self._pause(_FIRST_PAUSE * 2**attempt)
                else:
                    return
        except (ClientError, BotoCoreError) as fault:
            raise LedgerUnavailable(str(fault)) from fault
        raise LedgerUnavailable("too many writers at the same line")

    def _try(self, verb: str, operation: dict[str, Any], run: Run, move: LineMove, max_waiting: int | None) -> None:
        waiting = self._waiting(run) if move.reads_line else None
        if waiting and move.needs_to_be_next and not is_next(run, waiting):
            raise LineAhead("others of the same kind wait longer")
        line = line_operation(self._table, run, move, waiting, max_waiting)
        try:
            if line is None:
                call = self._client.put_item if verb == "Put" else self._client.delete_item
                call(**operation)
            else:
                items: Any = [{verb: operation}, line]
                self._client.transact_write_items(TransactItems=items)
        except self._client.exceptions.ConditionalCheckFailedException as failed:
            self._conflict(failed.response.get("Item"), run)
        except self._client.exceptions.TransactionConflictException as busy:
            raise _Moved from busy
        except self._client.exceptions.TransactionCanceledException as cancelled:
            self._cancelled(cancelled.response["CancellationReasons"], run, move)

    def _cancelled(self, reasons: list[Any], run: Run, move: LineMove) -> None:
        """Name the condition that failed; the run's own comes first, it is in front. Returns if the write had happened."""
        of_run, of_line = reasons
        if of_run["Code"] == "ConditionalCheckFailed":
            self._conflict(of_run.get("Item"), run)
        elif of_line["Code"] != "ConditionalCheckFailed" or (move.reads_line and not self._import_is_open(run, move)):
            raise _Moved
        elif move.joins:
            raise LineFull("the transform's queue is full")
        else:
            raise LineAhead("others of the transform come first")

    def _import_is_open(self, run: Run, move: LineMove) -> bool:
        return move.opens_import and "importing" in (self._get(line_key(run)) or {})

    def _conflict(self, item: Any, run: Run) -> None:  # noqa: ANN401  botocore's stubs type it as both of its forms
        current = from_item(item) if item else None
        if current and current.revision == run.revision:
            return  # our own write, whose answer was lost: the SDK sent it twice
        raise Conflict(current)

    # --- reading

    def _waiting(self, run: Run) -> tuple[str, ...]:
        item = self._get(line_key(run)) or {}
        return tuple(entry["S"] for entry in item.get("waiting", {"L": []})["L"])

    def _get(self, key: dict[str, Any]) -> dict[str, Any] | None:
        try:
            return self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        except (ClientError, BotoCoreError) as fault:
            self._unavailable(fault)

    def _query(self, **arguments: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401  botocore's own arguments
        try:
            for page in self._client.get_paginator("query").paginate(TableName=self._table, **arguments):
                yield from page["Items"]
        except (ClientError, BotoCoreError) as fault:
            self._unavailable(fault)

    def _unavailable(self, fault: Exception) -> Never:
        raise LedgerUnavailable(str(fault)) from fault

    def _still(self, before: Run | None) -> dict[str, Any]:
        """The condition that the item is what the writer saw."""
        if before is None:
            return {"ConditionExpression": "attribute_not_exists(id)"}
        return {
            "ConditionExpression": "revision = :seen",
            "ExpressionAttributeValues": {":seen": {"S": before.revision}},
        }


def _sleep_about(seconds: float) -> None:
    """Many writers to one line must not come back all at once."""
    time.sleep(uniform(seconds / 2, seconds))  # noqa: S311  no secret
