"""The textbook's reconcile: GetMLTaskRun for every open run; an update and an event for each that ended."""

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from botocore.config import Config

from bench.reconciler.usage import report
from core.open_runs import SHARDS

_THREADS = 8  # as many as ours
_CONFIG = Config(max_pool_connections=_THREADS)


def poll_all() -> int:
    """The number of runs that ended."""
    dynamodb, glue = boto3.client("dynamodb", config=_CONFIG), boto3.client("glue", config=_CONFIG)
    events = boto3.client("events", config=_CONFIG)

    def poll(item: dict[str, Any]) -> int:
        run = glue.get_ml_task_run(TransformId=item["transformId"]["S"], TaskRunId=item["taskRunId"]["S"])
        if run["Status"] == item["status"]["S"]:
            return 0
        dynamodb.update_item(
            TableName="ledger",
            Key={"id": item["id"]},
            UpdateExpression="SET #status = :status REMOVE #openShard, #openKey",
            ExpressionAttributeNames={f"#{name}": name for name in ("status", "openShard", "openKey")},
            ExpressionAttributeValues={":status": {"S": run["Status"]}},
        )
        detail = json.dumps({"id": item["id"]["S"], "status": run["Status"]})
        events.put_events(Entries=[{"Source": "bench", "DetailType": "TaskRunEnded", "Detail": detail}])
        return 1

    queries = [
        dynamodb.get_paginator("query").paginate(
            TableName="ledger",
            IndexName="full",
            KeyConditionExpression="openShard = :shard",
            ExpressionAttributeValues={":shard": {"S": shard}},
        )
        for shard in SHARDS
    ]
    with ThreadPoolExecutor(_THREADS) as pool:
        return sum(sum(pool.map(poll, page["Items"])) for pages in queries for page in pages)


if __name__ == "__main__":
    report(poll_all)
