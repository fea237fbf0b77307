"""The figures of an evaluation are what their names say."""

import numpy as np
from sklearn.metrics import average_precision_score

from findmatches.evaluation import area_under_pr_curve


def test_area_under_pr_curve_is_never_above_one() -> None:
    match = np.arange(11) < 9
    probability = -np.arange(11.0)
    assert average_precision_score(match, probability) > 1, "otherwise nothing here needs clipping"
    assert area_under_pr_curve(probability, match) == 1


def test_area_under_pr_curve_is_average_precision() -> None:
    probability = np.array([0.9, 0.8, 0.7, 0.6])
    assert area_under_pr_curve(probability, np.array([True, False, True, False])) == (1 / 1 + 2 / 3) / 2
