"""Glue's FindMatchesMetrics as ours, and back as the ledger's JSON."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.aws.evaluation_metrics import metrics_from_text, metrics_to_text, read_metrics
from core.evaluation_metrics import ColumnImportance, ConfusionMatrix, EvaluationMetrics

SHARES = st.none() | st.floats(0, 1)
COUNTS = st.none() | st.integers(0, 2**63 - 1)
METRICS = st.builds(
    EvaluationMetrics,
    SHARES,
    SHARES,
    SHARES,
    SHARES,
    st.none() | st.builds(ConfusionMatrix, COUNTS, COUNTS, COUNTS, COUNTS),
    st.lists(st.builds(ColumnImportance, st.text(max_size=255), st.floats(0, 1)), max_size=100).map(tuple),
)


@given(METRICS)
def test_what_the_ledger_stores_is_read_back_unchanged(metrics: EvaluationMetrics) -> None:
    assert metrics_from_text(metrics_to_text(metrics)) == metrics


@pytest.mark.parametrize(
    ("response", "metrics"),
    [
        (None, None),
        ({}, None),
        ({"F1": 0.5}, EvaluationMetrics(None, None, None, 0.5, None, ())),
        ({"F1": float("nan"), "Recall": 1}, EvaluationMetrics(None, None, 1.0, None, None, ())),
        ({"ConfusionMatrix": {}}, EvaluationMetrics(None, None, None, None, ConfusionMatrix(None, None, None, None), ())),
        (
            {"ColumnImportances": [{"ColumnName": "a"}, {"ColumnName": "b", "Importance": 0.1}]},
            EvaluationMetrics(None, None, None, None, None, (ColumnImportance("b", 0.1),)),
        ),
    ],
)
def test_fields_that_glue_leaves_out_are_none(response: Any, metrics: EvaluationMetrics | None) -> None:  # noqa: ANN401  JSON
    assert read_metrics(response) == metrics


def test_the_largest_metrics_fit_into_an_item_and_an_event() -> None:
    column = {"ColumnName": "ä" * 1000, "Importance": 0.123456789012345678}
    metrics = read_metrics({"ColumnImportances": [column] * 500})
    assert metrics is not None
    assert len(metrics.column_importances) == 100
    assert len(metrics_to_text(metrics).encode()) < 100 * 1024  # an event may have 256 KB, an item 400 KB
