"""The ledger's stream in, events out: announces changes of runs on the bus."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from core.announce import Bus, Change, announce
from core.aws.items import from_item, is_run
from handlers import metrics, wiring


def handler(event: dict[str, Any], context: LambdaContext, bus: Bus | None = None) -> dict[str, list[dict[str, str]]]:
    """Announce a batch of changes, and return the sequence numbers that the stream must deliver again."""
    changes = [_change(record) for record in event["Records"] if is_run(record["dynamodb"].get("NewImage", {}))]
    failed = announce(changes, bus or wiring.bus(context))
    metrics.count_ended_runs(changes, failed)
    return {"batchItemFailures": [{"itemIdentifier": sequence_number} for sequence_number in failed]}


def _change(record: dict[str, Any]) -> Change:
    images = record["dynamodb"]
    old = images.get("OldImage")
    return Change(images["SequenceNumber"], from_item(old) if old else None, from_item(images["NewImage"]))
