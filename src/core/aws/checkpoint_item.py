"""The ledger item of a round that did not get through: where the next round of its part begins. It is in no index."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.aws.items import Item
from core.open_runs import Checkpoint, Place

_KEY_PREFIX = "round#"


def checkpoint_item_key(part: str) -> Item:
    return {"id": {"S": f"{_KEY_PREFIX}{part}"}}


def to_checkpoint_item(part: str, checkpoint: Checkpoint) -> Item:
    item = checkpoint_item_key(part)
    item |= {"shard": {"S": checkpoint.place.shard}, "transform": {"S": checkpoint.place.transform_id}}
    if checkpoint.held_until:
        item["heldUntil"] = {"S": checkpoint.held_until.isoformat()}
    return item


def from_checkpoint_item(item: Mapping[str, Mapping[str, Any]]) -> Checkpoint:
    return Checkpoint(
        place=Place(item["shard"]["S"], item["transform"]["S"]),
        held_until=datetime.fromisoformat(item["heldUntil"]["S"]) if "heldUntil" in item else None,
    )
