"""EventBridge: commands on the bus and uploads to S3 in. What becomes of them is announced from the ledger's stream."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from core.errors import CommandTooOld, FieldError, IdempotencyKeyReused, InvalidRequest, QueueFull, RequestInFlight
from core.ports import Dependencies
from core.refuse_command import refuse_command, refuse_for_full_queue
from core.requests import StartCommand
from core.start import start
from handlers import metrics, wiring
from handlers.commands import read_command, refused_command


def handler(event: dict[str, Any], context: LambdaContext, deps: Dependencies | None = None) -> None:  # noqa: ARG001  Lambda's form
    """Carry out one command, once.

    A command that is malformed or forbidden, or whose transform's queue is full, is recorded as refused and not retried. A
    temporary fault is raised: Lambda delivers the event again, and sends it to the dead-letter queue when the retries have run
    out.
    """
    deps = deps or wiring.dependencies()
    try:
        command = read_command(event, deps.policy.allowed_prefixes)
        if command is None:
            wiring.logger().info("EVENT_IGNORED", extra={"correlationId": event["id"]})
            return
        _start_or_refuse(command, deps)
    except InvalidRequest as error:
        refuse_command(refused_command(event, "INVALID_COMMAND", error.errors), deps)
    except CommandTooOld as error:
        refuse_command(refused_command(event, "COMMAND_TOO_OLD", (FieldError("#", str(error)),)), deps)
    except IdempotencyKeyReused as error:
        refuse_command(refused_command(event, "IDEMPOTENCY_KEY_REUSED", (FieldError("#/idempotencyKey", str(error)),)), deps)
    except RequestInFlight:
        # Two deliveries of the same event at once: the first has its run in the ledger, so this one has nothing to do.
        wiring.logger().info("DELIVERED_TWICE", extra={"correlationId": event["id"]})


def _start_or_refuse(command: StartCommand, deps: Dependencies) -> None:
    """Start the command's run. Lambda would retry twice only, so a full queue is an answer: an event that can be acted on."""
    try:
        metrics.count_start(start(command, deps))
    except QueueFull:
        refuse_for_full_queue(command, deps)
