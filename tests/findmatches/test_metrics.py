"""Pairwise F1 of a grouping against the truth."""

import pytest

from findmatches import metrics


@pytest.mark.parametrize(
    ("groups", "truth", "f1"),
    [
        (["m1", "m1", "m2"], "112", 1.0),
        (["m1", "m2", "m3"], "112", 0.0),
        (["m1", "m1", "m1"], "112", 0.5),  # one pair right, two wrong, none missed: 2 / (3 + 1)
        (["m1", "m2", "m3"], "123", 1.0),  # nothing to find
    ],
)
def test_pairwise_f1(groups: list[str], truth: str, f1: float) -> None:
    assert metrics.pairwise_f1(groups, truth) == f1
