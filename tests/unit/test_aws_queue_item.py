"""The queue's item stays below DynamoDB's 400 KB, whatever the setting."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from core.aws.queue_item import MAX_ENTRIES, queue_operation
from core.requests import new_run
from core.runs import as_queued
from core.transform_queue import queue_key, queue_move
from tests.fakes.service import labeling_command

NOW = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)
RUN = new_run(labeling_command(), NOW)


@pytest.mark.parametrize(("setting", "limit"), [(1, 1), (100, 100), (MAX_ENTRIES, MAX_ENTRIES), (1_000_000, MAX_ENTRIES)])
def test_queue_is_full_before_its_item_is(setting: int, limit: int) -> None:
    queued = as_queued(RUN, NOW)
    operation = queue_operation("ledger", queued, queue_move(None, queued), None, setting)
    assert operation is not None
    assert operation["Update"]["ExpressionAttributeValues"][":max"] == {"N": str(limit)}


def test_full_queue_leaves_room_for_runs_that_return_to_its_head() -> None:
    entry_bytes = len(queue_key(replace(RUN, requested_on=NOW))) + 3  # an element of a list has 1 byte, and its length up to 2
    assert (MAX_ENTRIES + 100) * entry_bytes < 400 * 1024 - 1024
