"""The clock: reconcile the ledger with Glue."""

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from core.ports import Dependencies
from core.reconcile import reconcile
from handlers import metrics, wiring

_SPARE_MILLISECONDS = 45_000  # a batch of transforms may take as long as its slowest Glue calls


def handler(event: dict[str, Any], context: LambdaContext, deps: Dependencies | None = None) -> dict[str, int]:  # noqa: ARG001  Lambda's form
    """One round over all open work; answers with its tally, for people who invoke it by hand."""
    tally = reconcile(
        deps or wiring.dependencies(), may_go_on=lambda: context.get_remaining_time_in_millis() > _SPARE_MILLISECONDS
    )
    wiring.logger().info("RECONCILED", extra=asdict(tally))
    metrics.of_round(tally)
    return asdict(tally)
