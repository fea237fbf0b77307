"""The ledger's stream: it invokes the announcer with batches, and with what `make redrive` takes from the dead letters."""

import inspect
import json
from types import SimpleNamespace
from typing import Any

from handlers import announce as announcer
from tests.simulation.environment import Environment, Host
from tests.simulation.table import Item

_TAKES_DEAD_LETTERS = "dead_letters" in inspect.signature(announcer.handler).parameters  # an older service does not


def records(environment: Environment, begin: int, size: int) -> list[dict[str, Any]]:
    """Up to `size` records, from the `begin`-th on."""
    changes = environment.stream[begin : begin + size]
    return [_record(number, old, new) for number, (old, new) in enumerate(changes, begin)]


def announce(environment: Environment, batch: list[dict[str, Any]], begin: int, times: int, host: Host) -> None:
    """Deliver a batch; one that fails in part comes again from its first failure on."""
    failed = _handle(batch, host)
    if times > 1:
        failed = _handle(batch, host)
    done = min((int(number) for number in failed), default=begin + len(batch))
    environment.delivered = max(environment.delivered, done)


def redrive(letter: str, host: Host) -> None:
    _handle(json.loads(letter)["Records"], host, redrive=True)


def _handle(batch: list[dict[str, Any]], host: Host, **more: bool) -> list[str]:
    """The sequence numbers of the records that must be delivered again."""
    context: Any = SimpleNamespace(invoked_function_arn="arn:aws:lambda:eu-west-1:123456789012:function:announce")
    queue: Any = {"dead_letters": _dead_letters(host)} if _TAKES_DEAD_LETTERS else {}
    response = announcer.handler({"Records": batch, **more}, context, host.bus, **queue)
    return [failure["itemIdentifier"] for failure in response["batchItemFailures"]]


def _dead_letters(host: Host) -> Any:  # noqa: ANN401  the port of handlers.announce
    from core.aws.dead_letters import DeadLetterQueue  # noqa: PLC0415  an older service has none

    return DeadLetterQueue(host.clients["sqs"], "queue")


def _record(number: int, old: Item | None, new: Item | None) -> dict[str, Any]:
    images: dict[str, Any] = {"SequenceNumber": str(number)}
    images |= {name: image for name, image in {"OldImage": old, "NewImage": new}.items() if image}
    return {"eventName": "MODIFY", "dynamodb": images}
