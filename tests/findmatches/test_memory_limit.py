"""Features that do not fit into memory are computed again, and the output stays the same."""

import numpy as np
import pytest

from findmatches import Settings, find_matches, pairs, propose_labeling_sets
from findmatches.preparation import prepare
from tests.findmatches.synthetic_people import LabeledTable


def test_pairs_whose_features_are_not_kept_give_the_same_output(people: LabeledTable, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = people.labeled(runs=1)
    kept = find_matches(people.table, labels, Settings()), propose_labeling_sets(people.table, labels, Settings())
    monkeypatch.setattr(pairs, "_MAX_KEPT_FEATURES", 0)
    again = find_matches(people.table, labels, Settings()), propose_labeling_sets(people.table, labels, Settings())
    assert again == kept


def test_features_are_the_same_whether_kept_or_not(people: LabeledTable, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = prepare(people.table, Settings())
    assert prepared
    kept = prepared.candidates
    monkeypatch.setattr(pairs, "_MAX_KEPT_FEATURES", 0)
    not_kept = pairs.feature_block(prepared.extractor, prepared.left, prepared.right)
    assert kept.kept is not None
    assert not_kept.kept is None
    places = np.arange(0, len(kept), 3)
    assert np.array_equal(kept.features(places), not_kept.features(places))
