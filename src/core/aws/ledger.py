"""The ledger in DynamoDB: one item a run, every write conditional, the transform's line in the same transaction."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Never

from botocore.exceptions import BotoCoreError, ClientError

from core.aws.items import from_item, is_run, requested_key, to_item, to_update
from core.aws.open_index import query_open_runs
from core.aws.pages import query_runs
from core.aws.queue_item import queue_item_key, queue_operation
from core.aws.recent_runs import Known
from core.aws.retry import Outcome, WriteContention, again, sleep_with_jitter
from core.errors import Conflict, LedgerUnavailable, QueueBlocked, QueueLimitReached
from core.open_runs import OpenRun
from core.ports import RunFilter, RunPage
from core.runs import Progress, Run, TaskType
from core.transform_queue import QueueMove, is_next, queue_move, queued_run_id

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


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
        self._pause = pause or sleep_with_jitter
        self._known = Known()
        self._begin = ""

    def write(self, before: Run | None, after: Run, *, max_queued: int | None = None) -> Run:
        after = replace(after, revision=self._new_revision())
        put = self._operation(Item=to_item(after, self._retention)) | self._still(before)
        move = queue_move(before, after)
        self._again(lambda: self._try("Put", put, after, move, max_queued))
        self._known.add(after.id)
        return after

    def record_progress(self, run: OpenRun, progress: Progress) -> Run:
        if run.task_type is TaskType.IMPORT_LABELS and progress.status.is_terminal:
            raise ValueError("the end of an import moves its line")
        revision = self._new_revision()
        update = self._operation(Key={"id": {"S": run.id}}, ReturnValues="ALL_NEW")
        update |= to_update(run, progress, revision, self._retention)
        return self._again(lambda: self._update(update, revision))

    def delete(self, run: Run) -> None:
        self._known.discard(run.id)
        move = queue_move(run, None)
        try:
            delete = self._operation(Key={"id": {"S": run.id}}) | self._still(run)
            self._again(lambda: self._try("Delete", delete, run, move, None))
        except Conflict as conflict:
            if conflict.current is not None:
                raise

    def get(self, run_id: str) -> Run | None:
        item = self._get({"id": {"S": run_id}})
        return from_item(item) if item and is_run(item) else None

    def get_if_recent(self, run_id: str) -> Run | None:
        return self.get(run_id) if run_id in self._known else None

    def list_runs(self, which: RunFilter, limit: int, cursor: str | None) -> RunPage:
        try:
            return query_runs(self._client, self._table, which, limit, cursor)
        except (ClientError, BotoCoreError) as fault:
            self._unavailable(fault)

    def open_runs(self) -> Iterator[OpenRun]:
        try:
            for run in query_open_runs(self._client, self._table, self._begin):
                self._begin = run.transform_id
                yield run
        except (ClientError, BotoCoreError) as fault:
            self._unavailable(fault)
        self._begin = ""

    def known_task_run_ids(self, transform_id: str, since: datetime) -> frozenset[str]:
        items = self._query(
            IndexName="byTransform",
            KeyConditionExpression="transformId = :transform AND requestedKey >= :since",
            ExpressionAttributeValues={":transform": {"S": transform_id}, ":since": {"S": requested_key(since)}},
            ProjectionExpression="taskRunId",
        )
        return frozenset(item["taskRunId"]["S"] for item in items if "taskRunId" in item)

    def queue(self, transform_id: str) -> tuple[str, ...]:
        return tuple(map(queued_run_id, self._waiting(transform_id)))

    # --- how a write is carried out

    def _again(self, act: Callable[[], Outcome]) -> Outcome:
        return again(act, self._pause)

    def _operation(self, **parts: Any) -> dict[str, Any]:  # noqa: ANN401  botocore's own arguments
        return {"TableName": self._table, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"} | parts

    def _update(self, operation: dict[str, Any], revision: str) -> Run:
        try:
            return from_item(self._client.update_item(**operation)["Attributes"])
        except self._client.exceptions.ConditionalCheckFailedException as failed:
            return self._own(failed.response.get("Item"), revision)
        except self._client.exceptions.TransactionConflictException as busy:
            raise WriteContention from busy

    def _try(self, verb: str, operation: dict[str, Any], run: Run, move: QueueMove, max_queued: int | None) -> None:
        waiting = self._waiting(run.transform_id) if move.reads_queue else None
        if waiting and move.requires_head_of_queue and not is_next(run, waiting):
            raise QueueBlocked("others of the same kind wait longer")
        line = queue_operation(self._table, run, move, waiting, max_queued)
        try:
            if line is None:
                call = self._client.put_item if verb == "Put" else self._client.delete_item
                call(**operation)
            else:
                items: Any = [{verb: operation}, line]
                self._client.transact_write_items(TransactItems=items)
        except self._client.exceptions.ConditionalCheckFailedException as failed:
            self._own(failed.response.get("Item"), run.revision)
        except self._client.exceptions.TransactionConflictException as busy:
            raise WriteContention from busy
        except self._client.exceptions.TransactionCanceledException as cancelled:
            self._cancelled(cancelled.response["CancellationReasons"], run, move)

    def _cancelled(self, reasons: list[Any], run: Run, move: QueueMove) -> None:
        """Name the condition that failed; the run's own comes first, it is in front. Returns if the write had happened."""
        of_run, of_line = reasons
        if of_run["Code"] == "ConditionalCheckFailed":
            self._own(of_run.get("Item"), run.revision)
        elif of_line["Code"] != "ConditionalCheckFailed" or (move.reads_queue and not self._import_is_open(run, move)):
            raise WriteContention
        elif move.joins:
            raise QueueLimitReached("the transform's queue is full")
        else:
            raise QueueBlocked("others of the transform come first")

    def _import_is_open(self, run: Run, move: QueueMove) -> bool:
        return move.opens_import and "importing" in (self._get(queue_item_key(run.transform_id)) or {})

    def _own(self, item: Any, revision: str) -> Run:  # noqa: ANN401  botocore's stubs type it as both of its forms
        """Our own write, if that is what failed a write's condition: its answer was lost, and the SDK sent it twice."""
        current = from_item(item) if item else None
        if current is not None:
            self._known.add(current.id)
        if current is None or current.revision != revision:
            raise Conflict(current)
        return current

    # --- reading

    def _waiting(self, transform_id: str | None) -> tuple[str, ...]:
        item = self._get(queue_item_key(transform_id)) or {}
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
