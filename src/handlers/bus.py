"""EventBridge: commands from the bus and uploads to S3 in; nothing out but what the ledger's stream announces."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from core.errors import FieldError, InvalidRequest, KeyReused, StillInFlight
from core.ports import Dependencies
from core.refuse_command import refuse
from core.start import start
from handlers import metrics, wiring
from handlers.commands import as_bad_command, read_event


def handler(event: dict[str, Any], context: LambdaContext, deps: Dependencies | None = None) -> None:  # noqa: ARG001  Lambda's form
    """Carry out one command, once.

    A malformed or forbidden command is put on record as refused, and is over. A passing fault is raised: Lambda delivers the
    event again, and puts it on the dead-letter queue when the retries have run out.
    """
    deps = deps or wiring.dependencies()
    try:
        order = read_event(event)
        if order is None:
            wiring.logger().info("EVENT_IGNORED", extra={"correlationId": event["id"]})
            return
        metrics.of_start(start(order, deps))
    except InvalidRequest as error:
        refuse(as_bad_command(event, "INVALID_COMMAND", error.errors), deps)
    except KeyReused as error:
        refuse(as_bad_command(event, "IDEMPOTENCY_KEY_REUSED", (FieldError("#/idempotencyKey", str(error)),)), deps)
    except StillInFlight:
        # The same event delivered twice at once: the first delivery has the run in the ledger, so none is needed again.
        wiring.logger().info("DELIVERED_TWICE", extra={"correlationId": event["id"]})
