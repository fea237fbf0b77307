"""Memory is bounded: what does not fit is computed again, and nothing but time changes."""

import numpy as np
import pytest

from findmatches import feature_blocks as blocks
from findmatches.matcher import Settings, find_matches, propose_labeling_sets
from findmatches.pipeline import prepare
from tests.findmatches.records import Known


def test_pairs_whose_features_are_not_kept_get_the_same_answers(people: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = people.labeled(runs=1)
    kept = find_matches(people.table, labels, Settings()), propose_labeling_sets(people.table, labels, Settings())
    monkeypatch.setattr(blocks, "_MOST_KEPT", 0)
    again = find_matches(people.table, labels, Settings()), propose_labeling_sets(people.table, labels, Settings())
    assert again == kept


def test_features_are_the_same_whether_kept_or_not(people: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    prepared = prepare(people.table, Settings())
    assert prepared
    kept = prepared.candidates
    monkeypatch.setattr(blocks, "_MOST_KEPT", 0)
    bare = blocks.block_of(prepared.comparison, prepared.left, prepared.right)
    assert kept.kept is not None
    assert bare.kept is None
    some = np.arange(0, len(kept), 3)
    assert np.array_equal(kept.features(some), bare.features(some))
