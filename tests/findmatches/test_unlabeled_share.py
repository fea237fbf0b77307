"""Before any label, the number of matches is judged by the table's structure."""

import numpy as np
import pytest

from bench.matching.tables import load
from findmatches import Matcher, Settings
from findmatches.metrics import pairwise_f1
from findmatches.unlabeled_share import log_odds_shift, transitivity


def test_groups_are_transitive_and_chance_likeness_is_not() -> None:
    left, right = np.array([0, 0, 1, 3, 3, 4]), np.array([1, 2, 2, 4, 5, 5])
    assert transitivity(left, right, np.array([True] * 6), records=6) == 1.0
    # The pair (1, 2) differs: two of the three paths through it are open.
    assert transitivity(left, right, np.array([True, True, False, True, True, True]), records=6) == pytest.approx(3 / 4)
    assert transitivity(left[:1], right[:1], np.array([True]), records=6) == 0.0


def test_the_shift_reaches_the_share_and_never_lowers_a_probability() -> None:
    probability = np.array([0.4, 0.3, 0.05, 0.01])
    shift = log_odds_shift(probability, share=0.5, transitive=0.95)
    shifted = 1 / (1 + np.exp(-np.log(probability / (1 - probability)) - shift))
    assert shifted.mean() == pytest.approx(0.5, abs=1e-6)
    assert log_odds_shift(probability, share=0.01, transitive=0.95) == 0.0
    assert log_odds_shift(probability, share=0.5, transitive=0.6) == 0.0


@pytest.mark.parametrize(("name", "f1"), [("organizations:1000", 0.8), ("groups-of-five:200", 0.95), ("few-columns:600", 0.85)])
def test_large_groups_form_without_labels(name: str, f1: float) -> None:
    labeled = load(name)
    model = Matcher(Settings()).fit(labeled.table, [])
    assert pairwise_f1(model.match(labeled.table).match_id, labeled.truth) >= f1
