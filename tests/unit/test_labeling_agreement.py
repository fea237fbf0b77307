"""Labelers are compared by pairs of rows, and what they agree on makes a file."""

import pytest

from core.labeling.agreement import compare
from core.labeling.answers import Answer
from core.labeling.labeling_set_file import LabelingSetFile
from core.labeling.overview import compare_labelers, overview
from core.labeling.views import agreement_view, labeling_set_view
from tests.fakes.labeling_room import LabelingRoom

FILE = LabelingSetFile.parse(b"labeling_set_id,label,id\n" + b"".join(b"s%d,,%d\n" % (row // 4, row) for row in range(8)))


def test_names_of_groups_do_not_matter() -> None:
    ann: dict[int, Answer] = {0: 1, 1: 1, 2: 2, 3: "alone"}
    ben: dict[int, Answer] = {0: 7, 1: 7, 2: "alone", 3: 9}
    agreement = compare({"ann": ann, "ben": ben}, FILE)
    assert [(pair.labelers, pair.compared, pair.agreed, pair.kappa) for pair in agreement.pairs] == [
        (("ann", "ben"), 6, 6, 1.0)
    ]
    assert agreement.disagreements == []
    assert agreement.consensus == ann


def test_kappa_is_cohens() -> None:
    """Ann: 3 of 6 pairs the same. Ben: 1 of 6. They agree on 4: (4/6 - 1/2) / (1 - 1/2) = 1/3."""
    agreement = compare({"ann": {0: 1, 1: 1, 2: 1, 3: 2}, "ben": {0: 1, 1: 1, 2: 2, 3: 3}}, FILE)
    (pair,) = agreement.pairs
    assert (pair.compared, pair.agreed) == (6, 4)
    assert pair.kappa == pytest.approx(1 / 3)


def test_disagreements_name_rows_and_sides_and_the_fewest_rows_are_left_out() -> None:
    agreement = compare({"ann": {0: 1, 1: 1, 2: 1, 3: 2}, "ben": {0: 1, 1: 1, 2: 2, 3: 3}}, FILE)
    assert agreement.disagreements == [((0, 2), ("ann",), ("ben",)), ((1, 2), ("ann",), ("ben",))]
    assert agreement.consensus == {0: 1, 1: 1, 3: 2}


def test_unsure_and_open_rows_are_not_compared() -> None:
    agreement = compare({"ann": {0: 1, 1: 1, 2: "unsure"}, "ben": {0: 1, 2: 1}}, FILE)
    assert (agreement.pairs[0].compared, agreement.pairs[0].kappa, agreement.consensus) == (0, None, {0: 1})


def test_what_one_labeler_alone_has_answered_is_no_consensus() -> None:
    agreement = compare({"ann": {0: 1, 1: 1, 4: 1, 5: 1}, "ben": {4: 2, 5: 2}}, FILE)
    assert agreement.consensus == {4: 1, 5: 1}


def test_where_all_say_the_same_kappa_is_undefined() -> None:
    assert compare({"ann": {0: 1, 1: 2}, "ben": {0: "alone", 1: "alone"}}, FILE).pairs[0].kappa is None


def test_three_labelers_make_three_pairs() -> None:
    same: dict[int, Answer] = {0: 1, 1: 1}
    agreement = compare({"ann": same, "ben": same, "carl": {0: 1, 1: 2}}, FILE)
    assert [pair.agreed for pair in agreement.pairs] == [1, 0, 0]
    assert agreement.disagreements == [((0, 1), ("ann", "ben"), ("carl",))]


def test_owner_sees_state_progress_agreement_and_a_file_to_import() -> None:
    room = LabelingRoom()
    assert labeling_set_view(overview(room.run, room.deps)).status == "READY"
    ann, ben = room.token("ann"), room.token("ben")
    room.save(ann, {"0": 1, "1": 1, "2": 2, "3": 1, "4": 1})
    room.save(ben, {"0": 1, "1": 1, "2": 2, "3": 1, "4": 2})
    seen = labeling_set_view(overview(room.run, room.deps))
    assert (seen.status, seen.rows, seen.sets, seen.columns) == ("LABELING", 5, 2, ("id", "name"))
    assert [(each.labeler, each.answered, each.unsure) for each in seen.labelers] == [("ann", 5, 0), ("ben", 5, 0)]
    comparison = compare_labelers(room.run, room.deps)
    view = agreement_view(room.run.id, comparison)
    assert (view.pairs[0].compared_pairs, view.pairs[0].agreed_pairs, view.consensus_rows) == (4, 3, 3)
    assert [(each.set, each.rows) for each in view.disagreements] == [("s2", (3, 4))]
    assert comparison.consensus_file == ('labeling_set_id,label,id,name\ns1,A,1,"Ann ""A"" Lee"\ns1,A,2,Anne Lee\ns1,B,3,Bob\n')
    room.submit(ann)
    assert overview(room.run, room.deps).status == "SUBMITTED"
