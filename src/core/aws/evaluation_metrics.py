"""Evaluation metrics as Glue's FindMatchesMetrics, which is also the form in which the ledger's items hold them, as JSON.

botocore's model makes every field optional, so whatever cannot be read is left out.
"""

import json
from collections.abc import Iterator, Mapping
from math import isfinite
from typing import Any

from core.evaluation_metrics import MAX_COLUMN_IMPORTANCES, ColumnImportance, ConfusionMatrix, EvaluationMetrics

_MAX_NAME_CHARACTERS = 255  # NameString in botocore's Glue model
_NUMBERS = ("AreaUnderPRCurve", "Precision", "Recall", "F1")
_COUNTS = ("NumTruePositives", "NumFalsePositives", "NumTrueNegatives", "NumFalseNegatives")


def read_metrics(metrics: object) -> EvaluationMetrics | None:
    """The metrics in a FindMatchesMetrics structure; None if it is missing or empty."""
    if not isinstance(metrics, Mapping) or not metrics:
        return None
    matrix = metrics.get("ConfusionMatrix")
    importances = metrics.get("ColumnImportances")
    area_under_pr_curve, precision, recall, f1 = (_number(metrics.get(name)) for name in _NUMBERS)
    return EvaluationMetrics(
        area_under_pr_curve,
        precision,
        recall,
        f1,
        ConfusionMatrix(*(_count(matrix.get(name)) for name in _COUNTS)) if isinstance(matrix, Mapping) else None,
        tuple(_column_importances(importances if isinstance(importances, list) else [])),
    )


def metrics_to_text(metrics: EvaluationMetrics) -> str:
    matrix, importances = metrics.confusion_matrix, metrics.column_importances
    structure = {
        **dict(zip(_NUMBERS, metrics[: len(_NUMBERS)], strict=True)),
        "ConfusionMatrix": None if matrix is None else dict(zip(_COUNTS, matrix, strict=True)),
        "ColumnImportances": [{"ColumnName": each.column_name, "Importance": each.importance} for each in importances],
    }
    return json.dumps(structure, separators=(",", ":"), ensure_ascii=False)


def metrics_from_text(text: str) -> EvaluationMetrics | None:
    return read_metrics(json.loads(text))


def _column_importances(importances: list[Any]) -> Iterator[ColumnImportance]:
    for each in importances[:MAX_COLUMN_IMPORTANCES]:
        name, importance = each.get("ColumnName"), _number(each.get("Importance"))
        if isinstance(name, str) and importance is not None:
            yield ColumnImportance(name[:_MAX_NAME_CHARACTERS], importance)


def _number(value: object) -> float | None:
    """Without infinity and NaN, which JSON does not have."""
    return float(value) if isinstance(value, int | float) and isfinite(value) else None


def _count(value: object) -> int | None:
    return value if isinstance(value, int) else None
