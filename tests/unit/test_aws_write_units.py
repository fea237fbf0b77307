"""Write units by partition key: DynamoDB gives one key 1,000 a second, so a key that all runs share would cap the service.

A write costs a unit per kilobyte, in the table and again in each index of which it changes an entry; a changed key costs two.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html#GSI.ThroughputConsiderations.Writes
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import cache

import pytest

from bench.reconciler.ledger_table import item_size
from core.aws.items import Item, to_item
from core.aws.queue_item import queue_item_key
from core.requests import new_run
from core.runs import Run, Status, as_reserved, as_started
from local.cloud.template import resources
from tests.contract.sample_runs import NOW
from tests.fakes.service import labeling_command

RUNS_PER_SECOND = 2_000
MAX_UNITS = 800
CALLERS, TRANSFORMS = 5, 1_000
RETENTION = timedelta(days=90)


@cache
def indexes() -> dict[str, tuple[list[str], set[str] | None]]:
    """By name: the attributes of the key, and those that are projected; None if all are."""
    definitions = resources()["Ledger"]["Properties"]["GlobalSecondaryIndexes"]
    return {
        index["IndexName"]: (
            [key["AttributeName"] for key in index["KeySchema"]],
            set(index["Projection"]["NonKeyAttributes"]) if index["Projection"]["ProjectionType"] == "INCLUDE" else None,
        )
        for index in definitions
    }


def states(number: int) -> Iterator[Run]:
    """A labeling set from its reservation to its end, as Glue starts it at once."""
    caller = f"arn:aws:iam::123456789012:role/labeling-service-{number % CALLERS}"
    transform_id = f"tfm-{number % TRANSFORMS:040x}"
    command = labeling_command(str(number), transform_id, caller, "s3://a-bucket-with-labels/labeling-sets")
    requested = replace(new_run(command, NOW + timedelta(microseconds=number)), revision=f"{number:032x}")
    yield (reserved := as_reserved(requested, NOW, timedelta(seconds=60)))
    yield (run := as_started(reserved, f"tsk-{number:064x}", Status.STARTING, NOW, NOW))
    for status in (Status.RUNNING, Status.SUCCEEDED):
        yield (run := replace(run, status=status, changed_on=NOW + timedelta(minutes=1), execution_time=60))


def entry(item: Item | None, key: list[str], projected: set[str] | None) -> Item | None:
    """The entry of an item in an index; None if it has none."""
    if item is None or not item.keys() >= set(key):
        return None
    return {name: value for name, value in item.items() if projected is None or name in {"id", *key, *projected}}


def units(before: Item | None, after: Item | None) -> int:
    return -(-max(item_size(item) for item in (before, after) if item is not None) // 1024)


def index_writes(before: Item | None, after: Item) -> Iterator[tuple[str, int]]:
    """Partition key and units of each entry that changes as `after` replaces `before`."""
    for name, (key, projected) in indexes().items():
        old, new = entry(before, key, projected), entry(after, key, projected)
        if old == new:
            continue
        has_same_key = old is not None and new is not None and all(old[attribute] == new[attribute] for attribute in key)
        for image in (new,) if has_same_key else (old, new):
            if image is not None:
                yield f"{name}: {image[key[0]]['S']}", units(old if has_same_key else None, image)


@pytest.fixture(scope="module")
def second() -> Counter[str]:
    """Units by partition key of a second in which as many runs are reserved, started, running and ended."""
    written: Counter[str] = Counter()
    for number in range(RUNS_PER_SECOND):
        before: Item | None = None
        for run in states(number):
            after = to_item(run, RETENTION)
            in_transaction = before is None  # with a check of the queue's item: both count twice
            written[f"table: {run.id}"] += units(before, after) * (2 if in_transaction else 1)
            if in_transaction:
                written[f"table: {queue_item_key(run.transform_id)['id']['S']}"] += 2
            for partition, count in index_writes(before, after):
                written[partition] += count
            before = after
    return written


def test_no_partition_key_takes_more_than_800_units_at_2000_runs_a_second(second: Counter[str]) -> None:
    assert [(partition, count) for partition, count in second.most_common(5) if count > MAX_UNITS] == []


def test_every_write_is_counted(second: Counter[str]) -> None:
    """Four writes in each index; one in that by caller; the table's own five, and two of the queue's item."""
    by_place: Counter[str] = Counter()
    for partition, count in second.items():
        by_place[partition.split(":")[0]] += count
    assert by_place == {
        "table": 7 * RUNS_PER_SECOND,
        "open": 4 * RUNS_PER_SECOND,
        "byTime": 4 * RUNS_PER_SECOND,
        "byTransform": 4 * RUNS_PER_SECOND,
        "byCaller": RUNS_PER_SECOND,
    }


def test_indexes_that_all_runs_share_spread_them_evenly(second: Counter[str]) -> None:
    for index in ("open", "byTime"):
        counts = [count for partition, count in second.items() if partition.startswith(f"{index}:")]
        assert len(counts) == 16
        assert max(counts) < 2 * min(counts)


def test_the_counter_sees_a_key_that_all_runs_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """Proof that the first test can fail: as release 0.1.0 had it, with one partition for all open runs."""
    monkeypatch.setattr("core.open_runs.shard_of", lambda _: "0")
    written: Counter[str] = Counter()
    for number in range(400):
        before: Item | None = None
        for run in states(number):
            after = to_item(run, RETENTION)
            written.update(dict(index_writes(before, after)))
            before = after
    assert written["open: 0"] == 4 * 400 > MAX_UNITS
