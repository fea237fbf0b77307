"""Stream records that can never be announced, on the dead-letter queue of unpublished changes."""

import json
import logging
from collections.abc import Mapping
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

_log = logging.getLogger(__name__)


class SqsClient(Protocol):
    def send_message(self, *, QueueUrl: str, MessageBody: str) -> object:  # noqa: N803  boto3's own
        """As boto3's."""


class DeadLetterQueue:
    """Keeps records as `{"Records": [record]}`, which `make redrive` sends to the announce function again."""

    def __init__(self, client: SqsClient, url: str) -> None:
        self._client = client
        self._url = url

    def put(self, record: Mapping[str, Any]) -> bool:
        """Whether the record is on the queue now."""
        number = record["dynamodb"]["SequenceNumber"]
        try:
            self._client.send_message(QueueUrl=self._url, MessageBody=json.dumps({"Records": [record]}))
        except (ClientError, BotoCoreError) as error:
            _log.warning("CHANGE_NOT_ISOLATED", extra={"sequenceNumber": number, "cause": str(error)})
            return False
        _log.error("CHANGE_ISOLATED", extra={"sequenceNumber": number})
        return True
