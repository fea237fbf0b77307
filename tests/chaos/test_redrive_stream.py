"""`make redrive` reads a dead letter's changes to the last one, whatever pages the stream returns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ops.redrive.stack import Deployed
from ops.redrive.stream_records import RecordsGone, RecordsUnread, stream_records

BATCH = {"streamArn": "arn", "shardId": "shard", "startSequenceNumber": "103", "endSequenceNumber": "105"}


def record(number: int, event_name: str = "MODIFY") -> dict[str, Any]:
    return {"eventName": event_name, "dynamodb": {"SequenceNumber": str(number), "NewImage": {}}}


@dataclass
class ScriptedStream:
    """A DynamoDB Streams client that returns `pages` in turn; after the last, the shard has ended."""

    pages: Sequence[list[dict[str, Any]] | str]
    is_open: bool = False
    read: int = 0

    def get_shard_iterator(self, **arguments: str) -> Mapping[str, str]:
        assert (arguments["ShardIteratorType"], arguments["SequenceNumber"]) == ("AT_SEQUENCE_NUMBER", "103")
        return {"ShardIterator": "0"}

    def get_records(self, ShardIterator: str) -> Mapping[str, Any]:  # noqa: N803  boto3's own
        page = self.pages[int(ShardIterator)]
        self.read += 1
        if isinstance(page, str):
            raise ClientError({"Error": {"Code": page}}, "GetRecords")
        more = self.is_open or self.read < len(self.pages)
        return {"Records": page} | ({"NextShardIterator": str(self.read)} if more else {})


@dataclass(frozen=True)
class DeployedStream(Deployed):
    stream: ScriptedStream = field(default_factory=lambda: ScriptedStream([]))

    def client(self, service: str) -> Any:  # noqa: ANN401  boto3's clients
        assert service == "dynamodbstreams"
        return self.stream


def read(*pages: list[dict[str, Any]] | str, is_open: bool = False) -> tuple[list[str], list[float]]:
    """The sequence numbers that were read, and the pauses that this took."""
    session: Any = None
    pauses: list[float] = []
    deployed = DeployedStream(session, {}, stream=ScriptedStream(pages, is_open))
    records = stream_records(deployed, BATCH, pauses.append)
    return [each["dynamodb"]["SequenceNumber"] for each in records], pauses


WHOLE = ["103", "104", "105"]


def test_empty_page_is_not_the_end() -> None:
    numbers, pauses = read([], [], [record(103), record(104)], [], [record(105)])
    assert numbers == WHOLE
    assert len(pauses) == 3
    assert min(pauses) >= 0.2, "a shard allows five reads a second"


def test_reading_stops_at_the_last_change_of_the_letter() -> None:
    assert read([record(103), record(104)], [record(105), record(106)], is_open=True)[0] == WHOLE
    assert read([record(103), record(104), record(106)], is_open=True)[0] == ["103", "104"]


def test_expired_runs_are_left_out() -> None:
    assert read([record(103), record(104, "REMOVE"), record(105)])[0] == ["103", "105"]


def test_letter_that_cannot_be_read_to_its_end_is_not_complete() -> None:
    with pytest.raises(RecordsUnread, match="the end of the shard"):
        read([record(103)], [])
    endless = [record(103)], *repeat([], 500)
    with pytest.raises(RecordsUnread, match="empty pages came before sequence number 105"):
        read(*endless, is_open=True)


@pytest.mark.parametrize("code", ["TrimmedDataAccessException", "ResourceNotFoundException"])
def test_changes_that_the_stream_has_lost_are_gone(code: str) -> None:
    with pytest.raises(RecordsGone):
        read(code)
    with pytest.raises(RecordsGone):
        read([record(103)], code)


def test_batch_whose_first_changes_are_gone_is_gone() -> None:
    with pytest.raises(RecordsGone):
        read([record(104), record(105)])
    with pytest.raises(RecordsGone):
        read([record(106)])


def test_other_errors_keep_the_letter() -> None:
    with pytest.raises(ClientError, match="LimitExceededException"):
        read("LimitExceededException")
