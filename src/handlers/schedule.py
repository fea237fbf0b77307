"""The schedule: reconciles the ledger with Glue.

With RECONCILE_PARTS above 1, a tick goes through the first part of the open runs, and invokes the function for each other part.
"""

from dataclasses import asdict
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from core.errors import PartNotInvoked, RoundInProgress
from core.ports import Dependencies
from core.reconcile import reconcile
from core.rounds import Part
from handlers import metrics, wiring

# A look-up (24 s with its retries) and a start (18 s) that are as slow as their time-outs allow, and the writes around them.
_RESERVE_MILLISECONDS = 60_000


def handler(event: dict[str, Any], context: LambdaContext, deps: Dependencies | None = None) -> dict[str, int]:
    """Reconcile all open runs once, or those of `{"part": n, "parts": m}`; returns the summary, for whoever invokes it by hand.

    Raises PartNotInvoked, after its own part, if another could not be invoked.
    """
    deps = deps or wiring.dependencies()
    if "part" in event:
        return _reconcile(Part.of(event["part"], event["parts"]), context, deps)
    parts = wiring.reconcile_parts()
    failures = _invoke_others(parts, context) if parts > 1 else []
    summary = _reconcile(Part.of(0, parts), context, deps)
    if failures:
        raise failures[0]
    return summary


def _invoke_others(parts: int, context: LambdaContext) -> list[PartNotInvoked]:
    function, failures = wiring.own_function(context), []
    for number in range(1, parts):
        try:
            function.invoke({"part": number, "parts": parts})
        except PartNotInvoked as failure:
            failures.append(failure)
    return failures


def _reconcile(part: Part, context: LambdaContext, deps: Dependencies) -> dict[str, int]:
    try:
        summary = reconcile(
            deps, has_time_left=lambda: context.get_remaining_time_in_millis() > _RESERVE_MILLISECONDS, part=part
        )
    except RoundInProgress as error:
        wiring.logger().info("ROUND_SKIPPED", extra={"part": str(part), "cause": str(error)})
        return {}
    wiring.logger().info("RECONCILED", extra=asdict(summary) | {"part": str(part)})
    metrics.count_round(summary)
    return asdict(summary)
