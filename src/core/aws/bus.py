"""Events out, through EventBridge's PutEvents."""

import logging
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from core.announce import Event
from core.events import SOURCE
from core.log_fields import log_fields

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

_log = logging.getLogger(__name__)
_MOST = 10  # entries that one PutEvents takes


class EventBus:
    """core.announce.Bus. `glue_arn` is `arn:{partition}:glue:{region}:{account}`, for the transforms' ARNs."""

    def __init__(self, client: "EventBridgeClient", name: str, glue_arn: str) -> None:
        self._client = client
        self._name = name
        self._glue_arn = glue_arn

    def send(self, events: Sequence[Event]) -> list[Event]:
        remaining = iter(events)
        refused: list[Event] = []
        while chunk := list(islice(remaining, _MOST)):
            refused += self._send(chunk)
        return refused

    def _send(self, events: list[Event]) -> list[Event]:
        """A 200 may still refuse some of its entries, so every entry's own answer is read."""
        try:
            answers = self._client.put_events(Entries=[self._entry(event) for event in events])["Entries"]
        except (ClientError, BotoCoreError) as fault:
            _log.warning("EVENTS_NOT_SENT", extra={"count": len(events), "cause": str(fault)})
            return events
        refused = [event for event, answer in zip(events, answers, strict=True) if "EventId" not in answer]
        for event, answer in zip(events, answers, strict=True):
            code = "EVENT_SENT" if "EventId" in answer else "EVENT_NOT_SENT"
            run, metadata = event.change.after, event.detail.metadata
            _log.info(
                code,
                extra=log_fields(run, detailType=event.detail_type, eventId=metadata.event_id, cause=answer.get("ErrorCode")),
            )
        return refused

    def _entry(self, event: Event) -> "PutEventsRequestEntryTypeDef":
        entry: PutEventsRequestEntryTypeDef = {
            "EventBusName": self._name,
            "Source": SOURCE,
            "DetailType": event.detail_type,
            "Detail": event.detail.model_dump_json(by_alias=True),
            "Time": event.detail.metadata.occurred_at,
        }
        if event.transform_id:
            entry["Resources"] = [f"{self._glue_arn}:mlTransform/{event.transform_id}"]
        return entry
