"""Metrics in CloudWatch's embedded metric format, which Powertools prints to the log."""

import os
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

from core.runs import Status

if TYPE_CHECKING:  # each entry point imports only what it needs
    from core.announce import Change
    from core.reconcile import RoundSummary
    from core.start import Accepted


def count_start(accepted: "Accepted") -> None:
    """Count an accepted or replayed request, and a start that is UNCONFIRMED."""
    unconfirmed = accepted.run.status is Status.UNCONFIRMED and not accepted.replayed
    _emit({"StartsReplayed" if accepted.replayed else "StartsAccepted": 1} | ({"StartsUnconfirmed": 1} if unconfirmed else {}))


def count_round(summary: "RoundSummary") -> None:
    """Count a round of the reconciler, and emit what it found open."""
    _emit({"RoundsFinished": 1, "TransformsNotReconciled": summary.failed, "QueueDepth": summary.queued})
    ages = {
        "OldestOpenRunSeconds": summary.oldest_open_seconds,
        "OldestUnconfirmedSeconds": summary.oldest_unconfirmed_seconds,
        "OldestQueuedSeconds": summary.oldest_queued_seconds,
    }
    _emit(ages, MetricUnit.Seconds)


def count_link_refused() -> None:
    """Count a request whose token opens nothing."""
    _emit({"LinksRefused": 1})


def count_answers_saved() -> None:
    """Count a request that saved a labeler's answers."""
    _emit({"AnswersSaved": 1})


def count_labels_submitted() -> None:
    """Count labels that were submitted for import, without repeats."""
    _emit({"LabelsSubmitted": 1})


def count_ended_runs(changes: "Sequence[Change]", failed: Sequence[str]) -> None:
    """Count, by outcome, the runs that ended. The sequence numbers in `failed` are delivered again and counted then."""
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
    for dimension, value in dimensions.items():
        metrics.add_dimension(dimension, value)
    for name, number in values.items():
        metrics.add_metric(name, unit, number)
    metrics.flush_metrics()  # prints the metrics, then clears them and their dimensions


@cache
def _metrics(namespace: str, service: str) -> EphemeralMetrics:
    return EphemeralMetrics(namespace=namespace, service=service)
