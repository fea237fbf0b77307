"""The schedule: reconciles the ledger with Glue."""

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from core.ports import Dependencies
from core.reconcile import reconcile
from handlers import metrics, wiring

_RESERVE_MILLISECONDS = 45_000  # how long one batch of transforms takes if its Glue calls are as slow as they may be


def handler(event: dict[str, Any], context: LambdaContext, deps: Dependencies | None = None) -> dict[str, int]:  # noqa: ARG001  Lambda's form
    """Reconcile all open runs once; returns the summary, for operators who invoke the function by hand."""
    summary = reconcile(
        deps or wiring.dependencies(), has_time_left=lambda: context.get_remaining_time_in_millis() > _RESERVE_MILLISECONDS
    )
    wiring.logger().info("RECONCILED", extra=asdict(summary))
    metrics.count_round(summary)
    return asdict(summary)
