"""Pseudo-labels assume the right outcome, whether few rows have a match or all of them."""

import numpy as np
import pytest

from bench.matching.tables import load
from findmatches import Settings
from findmatches.preparation import prepare
from findmatches.pseudo_labels import pseudo_labels
from findmatches.scoring import examples_of


@pytest.mark.parametrize("name", ["groups-of-five:400", "many-scripts:400", "placeholders:500"])
def test_pseudo_labels_agree_with_the_truth(name: str) -> None:
    labeled = load(name)
    prepared = prepare(labeled.table, Settings())
    assert prepared
    examples = examples_of(prepared, np.zeros(0, np.int64))
    pseudo = pseudo_labels(examples.features[examples.sampled], seed=0)
    truth = np.array(labeled.truth)[prepared.first_row]
    left, right = np.divmod(examples.keys[examples.sampled][pseudo.places], prepared.records)
    actual = truth[left] == truth[right]
    assert pseudo.match.sum() >= 20
    assert actual[pseudo.match].mean() >= 0.95
    assert actual[~pseudo.match].mean() <= 0.02


@pytest.mark.parametrize("name", ["groups-of-five:400", "organizations:1000", "few-columns:600", "products:600"])
def test_the_share_of_matches_among_the_candidates_is_estimated(name: str) -> None:
    labeled = load(name)
    prepared = prepare(labeled.table, Settings())
    assert prepared
    examples = examples_of(prepared, np.zeros(0, np.int64))
    estimate = pseudo_labels(examples.features[examples.sampled], seed=0).match_share
    truth = np.array(labeled.truth)[prepared.first_row]
    actual = float((truth[prepared.left] == truth[prepared.right])[prepared.left != prepared.right].mean())
    assert abs(estimate - actual) <= 0.1
