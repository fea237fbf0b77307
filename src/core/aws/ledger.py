"""The ledger in DynamoDB: one item per run and one per transform's queue, and every write conditional."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Never

from botocore.exceptions import BotoCoreError, ClientError

from core.aws.checkpoint_item import checkpoint_item_key, from_checkpoint_item, to_checkpoint_item
from core.aws.items import from_item, is_run, requested_key, to_item, to_update
from core.aws.open_index import query_open_runs
from core.aws.pages import query_runs
from core.aws.queue_item import queue_item_key, queue_operation
from core.aws.recent_runs import RecentRuns
from core.aws.retry import Result, WriteContention, retry_on_contention, sleep_with_jitter
from core.errors import Conflict, LedgerUnavailable, QueueBlocked, QueueLimitReached
from core.open_runs import SHARDS, Checkpoint, OpenRun, Place
from core.ports import RunFilter, RunPage
from core.runs import Progress, Run
from core.transform_queue import QueueMove, is_next, queue_move, queued_run_id

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoLedger:
    """core.ports.Ledger on a DynamoDB table.

    `new_revision` returns a different token on every call. Ended runs expire after `retention`. `sleep` pauses, in seconds,
    between attempts of a write that conflicts with others.
    """

    def __init__(
        self,
        client: "DynamoDBClient",
        table: str,
        retention: timedelta,
        new_revision: Callable[[], str],
        sleep: Callable[[float], None] | None = None,
    ) -> None:
        self._client = client
        self._table = table
        self._retention = retention
        self._new_revision = new_revision
        self._sleep = sleep or sleep_with_jitter
        self._recent = RecentRuns()

    def write(self, before: Run | None, after: Run, *, max_queued: int | None = None) -> Run:
        after = replace(after, revision=self._new_revision())
        put = self._operation(Item=to_item(after, self._retention)) | _unchanged(before)
        move = queue_move(before, after)
        self._retry(lambda: self._write_once("Put", put, after, move, max_queued))
        self._recent.add(after.id)
        return after

    def record_progress(self, run: OpenRun, progress: Progress) -> Run:
        if run.task_type.is_exclusive and progress.status.is_terminal:
            raise ValueError("the end of an exclusive run changes the queue, and needs write")
        revision = self._new_revision()
        update = self._operation(Key={"id": {"S": run.id}}, ReturnValues="ALL_NEW")
        update |= to_update(run, progress, revision, self._retention)
        return self._retry(lambda: self._update_once(update, revision))

    def delete(self, run: Run) -> None:
        self._recent.discard(run.id)
        move = queue_move(run, None)
        try:
            delete = self._operation(Key={"id": {"S": run.id}}) | _unchanged(run)
            self._retry(lambda: self._write_once("Delete", delete, run, move, None))
        except Conflict as conflict:
            if conflict.current is not None:
                raise

    def get(self, run_id: str) -> Run | None:
        item = self._get_item({"id": {"S": run_id}})
        return from_item(item) if item and is_run(item) else None

    def get_if_recent(self, run_id: str) -> Run | None:
        return self.get(run_id) if run_id in self._recent else None

    def list_runs(self, run_filter: RunFilter, limit: int, cursor: str | None) -> RunPage:
        try:
            return query_runs(self._client, self._table, run_filter, limit, cursor)
        except (ClientError, BotoCoreError) as error:
            _raise_unavailable(error)

    def open_runs(self, shards: Sequence[str] = SHARDS, begin: Place | None = None) -> Iterator[OpenRun]:
        try:
            yield from query_open_runs(self._client, self._table, shards, begin)
        except (ClientError, BotoCoreError) as error:
            _raise_unavailable(error)

    def checkpoint(self, part: str) -> Checkpoint | None:
        item = self._get_item(checkpoint_item_key(part))
        return from_checkpoint_item(item) if item else None

    def save_checkpoint(self, part: str, checkpoint: Checkpoint | None) -> None:
        try:
            if checkpoint is None:
                self._client.delete_item(TableName=self._table, Key=checkpoint_item_key(part))
            else:
                self._client.put_item(TableName=self._table, Item=to_checkpoint_item(part, checkpoint))
        except (ClientError, BotoCoreError) as error:
            _raise_unavailable(error)

    def known_task_run_ids(self, transform_id: str, since: datetime) -> frozenset[str]:
        items = self._query(
            IndexName="byTransform",
            KeyConditionExpression="transformId = :transform AND requestedKey >= :since",
            ExpressionAttributeValues={":transform": {"S": transform_id}, ":since": {"S": requested_key(since)}},
            ProjectionExpression="taskRunId",
        )
        return frozenset(item["taskRunId"]["S"] for item in items if "taskRunId" in item)

    def queue(self, transform_id: str) -> tuple[str, ...]:
        return tuple(map(queued_run_id, self._read_queue(transform_id)))

    # --- writing

    def _retry(self, write: Callable[[], Result]) -> Result:
        return retry_on_contention(write, self._sleep)

    def _operation(self, **parameters: Any) -> dict[str, Any]:  # noqa: ANN401  botocore's own parameters
        return {"TableName": self._table, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"} | parameters

    def _update_once(self, update: dict[str, Any], revision: str) -> Run:
        try:
            return from_item(self._client.update_item(**update)["Attributes"])
        except self._client.exceptions.ConditionalCheckFailedException as error:
            return self._check_own_write(error.response.get("Item"), revision)
        except self._client.exceptions.TransactionConflictException as error:
            raise WriteContention from error

    def _write_once(self, verb: str, operation: dict[str, Any], run: Run, move: QueueMove, max_queued: int | None) -> None:
        """Put or delete the item of `run`, in a transaction if the queue changes or must be checked."""
        queue = self._read_queue(run.transform_id) if move.reads_queue else None
        if queue and move.requires_head_of_queue and not is_next(run, queue):
            raise QueueBlocked("older runs of the same type are queued")
        on_queue = queue_operation(self._table, run, move, queue, max_queued)
        try:
            if on_queue is None:
                call = self._client.put_item if verb == "Put" else self._client.delete_item
                call(**operation)
            else:
                items: Any = [{verb: operation}, on_queue]
                self._client.transact_write_items(TransactItems=items)
        except self._client.exceptions.ConditionalCheckFailedException as error:
            self._check_own_write(error.response.get("Item"), run.revision)
        except self._client.exceptions.TransactionConflictException as error:
            raise WriteContention from error
        except self._client.exceptions.TransactionCanceledException as error:
            self._raise_cancellation(error.response["CancellationReasons"], run, move)

    def _raise_cancellation(self, reasons: list[Any], run: Run, move: QueueMove) -> None:
        """Raise the error for the condition that failed. Returns if the transaction had in fact been written before."""
        run_reason, queue_reason = reasons
        if run_reason["Code"] == "ConditionalCheckFailed":
            self._check_own_write(run_reason.get("Item"), run.revision)
        elif queue_reason["Code"] != "ConditionalCheckFailed" or (move.reads_queue and not self._has_open_exclusive(run, move)):
            raise WriteContention
        elif move.joins:
            raise QueueLimitReached("the transform's queue is full")
        else:
            raise QueueBlocked("other runs of the transform come first")

    def _has_open_exclusive(self, run: Run, move: QueueMove) -> bool:
        return move.opens_exclusive and "importing" in (self._get_item(queue_item_key(run.transform_id)) or {})

    def _check_own_write(self, item: Any, revision: str) -> Run:  # noqa: ANN401  botocore's stubs type it as both of its forms
        """Return the run if a condition failed because this very write, with `revision`, had succeeded; else raise Conflict.

        That happens if the response to the write was lost, and the SDK sent it again.
        """
        current = from_item(item) if item else None
        if current is not None:
            self._recent.add(current.id)
        if current is None or current.revision != revision:
            raise Conflict(current)
        return current

    # --- reading

    def _read_queue(self, transform_id: str | None) -> tuple[str, ...]:
        item = self._get_item(queue_item_key(transform_id)) or {}
        return tuple(entry["S"] for entry in item.get("waiting", {"L": []})["L"])

    def _get_item(self, key: dict[str, Any]) -> dict[str, Any] | None:
        try:
            return self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")
        except (ClientError, BotoCoreError) as error:
            _raise_unavailable(error)

    def _query(self, **parameters: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401  botocore's own parameters
        try:
            for page in self._client.get_paginator("query").paginate(TableName=self._table, **parameters):
                yield from page["Items"]
        except (ClientError, BotoCoreError) as error:
            _raise_unavailable(error)


def _unchanged(before: Run | None) -> dict[str, Any]:
    """The condition that the item is still `before`."""
    if before is None:
        return {"ConditionExpression": "attribute_not_exists(id)"}
    return {
        "ConditionExpression": "revision = :revision",
        "ExpressionAttributeValues": {":revision": {"S": before.revision}},
    }


def _raise_unavailable(error: Exception) -> Never:
    raise LedgerUnavailable(str(error)) from error
