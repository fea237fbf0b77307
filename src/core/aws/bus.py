"""Send events to EventBridge."""

import logging
from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from core.announce import Event, Rejection
from core.events import SOURCE
from core.log_fields import log_fields

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

_log = logging.getLogger(__name__)
_MAX_ENTRIES = 10  # of one PutEvents
# Only the entry itself can be at fault: the same entry is rejected again. Other codes, such as missing rights, may pass.
# https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEventsResultEntry.html
_FINAL_CODES = ("InvalidArgument", "MalformedDetail", "RedactionFailure")
_INVALID_CALL_CODES = ("ValidationException", "RequestEntityTooLarge")


class EventBus:
    """core.announce.Bus. `glue_arn` is `arn:{partition}:glue:{region}:{account}`, for the transforms' ARNs."""

    def __init__(self, client: "EventBridgeClient", name: str, glue_arn: str) -> None:
        self._client = client
        self._name = name
        self._glue_arn = glue_arn

    def send(self, events: Sequence[Event]) -> list[Rejection]:
        remaining = iter(events)
        rejected: list[Rejection] = []
        while batch := list(islice(remaining, _MAX_ENTRIES)):
            rejected += self._send_batch(batch)
        return rejected

    def _send_batch(self, events: list[Event]) -> list[Rejection]:
        """Send up to ten events; return those that were rejected. EventBridge may reject single entries of a request."""
        try:
            results = self._client.put_events(Entries=[self._entry(event) for event in events])["Entries"]
        except (ClientError, BotoCoreError) as error:
            if len(events) > 1 and _is_invalid(error):  # one invalid entry must not take the others along
                return [rejection for event in events for rejection in self._send_batch([event])]
            _log.warning("EVENTS_NOT_SENT", extra={"count": len(events), "cause": str(error)})
            return [Rejection(event, is_final=_is_invalid(error)) for event in events]
        rejected = [
            Rejection(event, is_final=result.get("ErrorCode") in _FINAL_CODES)
            for event, result in zip(events, results, strict=True)
            if "EventId" not in result
        ]
        for event, result in zip(events, results, strict=True):
            code = "EVENT_SENT" if "EventId" in result else "EVENT_NOT_SENT"
            run, metadata = event.change.after, event.detail.metadata
            _log.info(
                code,
                extra=log_fields(run, detailType=event.detail_type, eventId=metadata.event_id, cause=result.get("ErrorCode")),
            )
        return rejected

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


def _is_invalid(error: ClientError | BotoCoreError) -> bool:
    """Whether the call was rejected for what it contains."""
    if isinstance(error, ClientError):
        return error.response["Error"]["Code"] in _INVALID_CALL_CODES
    return isinstance(error, ParamValidationError)
