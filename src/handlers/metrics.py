"""What happened, as numbers: CloudWatch's embedded metric format on the log, by way of Powertools."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from core.runs import Status

if TYPE_CHECKING:  # each door needs its own only
    from core.announce import Change
    from core.reconcile import Tally
    from core.start import Accepted


def of_start(accepted: "Accepted") -> None:
    """A request was accepted, or had been already; and whether it is in doubt that Glue started it."""
    doubtful = accepted.run.status is Status.UNCONFIRMED and not accepted.replayed
    _emit({"StartsReplayed" if accepted.replayed else "StartsAccepted": 1} | ({"StartsUnconfirmed": 1} if doubtful else {}))


def of_round(tally: "Tally") -> None:
    """A round of the reconciler is over."""
    _emit({"RoundsFinished": 1, "TransformsNotReconciled": tally.failed, "QueueDepth": tally.waiting})
    ages = {
        "OldestOpenRunSeconds": tally.oldest_open,
        "OldestUnconfirmedSeconds": tally.oldest_unconfirmed,
        "OldestQueuedSeconds": tally.oldest_queued,
    }
    _emit(ages, MetricUnit.Seconds)


def of_changes(changes: "Sequence[Change]", failed: Sequence[str]) -> None:
    """Runs ended, and their events are out; those of `failed` come again, and count then."""
    from core.events import detail_types  # noqa: PLC0415  see above

    outcomes = Counter(
        change.after.status.value
        for change in changes
        if change.sequence_number not in failed
        and change.after.status.is_terminal
        and detail_types(change.before, change.after)
    )
    for outcome, count in outcomes.items():
        _emit({"RunsCompleted": count}, outcome=outcome)


def _emit(values: Mapping[str, float], unit: MetricUnit = MetricUnit.Count, **dimensions: str) -> None:
    metrics = _metrics(
        os.environ.get("POWERTOOLS_METRICS_NAMESPACE", "GlueLabelLoop"),
        os.environ.get("POWERTOOLS_SERVICE_NAME", "glue-label-loop"),
    )
    for dimension, of in dimensions.items():
        metrics.add_dimension(dimension, of)
    for name, value in values.items():
        metrics.add_metric(name, unit, value)
    metrics.flush_metrics()  # prints them, and forgets them and their dimensions


@cache
def _metrics(namespace: str, service: str) -> EphemeralMetrics:
    return EphemeralMetrics(namespace=namespace, service=service)
