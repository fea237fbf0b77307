"""The schedule: reconciles the ledger with Glue."""

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from core.errors import RoundInProgress
from core.ports import Dependencies
from core.reconcile import reconcile
from handlers import metrics, wiring

# A look-up (24 s with its retries) and a start (18 s) that are as slow as their time-outs allow, and the writes around them.
_RESERVE_MILLISECONDS = 60_000


def handler(event: dict[str, Any], context: LambdaContext, deps: Dependencies | None = None) -> dict[str, int]:  # noqa: ARG001  Lambda's form
    """Reconcile all open runs once; returns the summary, for operators who invoke the function by hand."""
    try:
        summary = reconcile(
            deps or wiring.dependencies(), has_time_left=lambda: context.get_remaining_time_in_millis() > _RESERVE_MILLISECONDS
        )
    except RoundInProgress as error:
        wiring.logger().info("ROUND_SKIPPED", extra={"cause": str(error)})
        return {}
    wiring.logger().info("RECONCILED", extra=asdict(summary))
    metrics.count_round(summary)
    return asdict(summary)
