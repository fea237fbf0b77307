"""Some sets explore what the classifier is wrongly sure about, and labels that contradict pseudo-labels outweigh them."""

from bench.matching.synthetic import LabeledTable
from bench.matching.tables import load
from findmatches import Label, Settings, find_matches, propose_labeling_sets


def _labels(labeled: LabeledTable, sets: list[list[int]]) -> list[Label]:
    return [
        Label(str(number), labeled.truth[row], str(labeled.table.keys[row])) for number, rows in enumerate(sets) for row in rows
    ]


def _pairs(sets: list[list[int]]) -> list[tuple[int, int]]:
    return [(left, right) for rows in sets for left in rows for right in rows if left < right]


def test_first_sets_ask_about_exact_copies() -> None:
    labeled = load("exact-copies:500")
    columns = [labeled.table.columns[name] for name in labeled.table.names if name != labeled.table.primary_key]
    cells = list(zip(*columns, strict=True))
    sets = propose_labeling_sets(labeled.table, [], Settings())
    assert any(cells[left] == cells[right] for left, right in _pairs(sets))


def test_first_sets_ask_about_rows_that_share_one_rare_value() -> None:
    labeled = load("two-alphabets:500")
    born, first = labeled.table.columns["born"], labeled.table.columns["first"]
    sets = propose_labeling_sets(labeled.table, [], Settings())
    two_alphabets = [pair for pair in _pairs(sets) if born[pair[0]] == born[pair[1]] and first[pair[0]] != first[pair[1]]]
    assert any(labeled.truth[left] == labeled.truth[right] for left, right in two_alphabets)


def test_no_row_is_shown_twice_in_a_run() -> None:
    labeled = load("exact-copies:300")
    for labels in ([], _labels(labeled, propose_labeling_sets(labeled.table, [], Settings()))):
        rows = [row for members in propose_labeling_sets(labeled.table, labels, Settings()) for row in members]
        assert len(rows) == len(set(rows))


def test_labels_that_never_match_outweigh_pseudo_labels() -> None:
    labeled = load("households:400")
    labels = _labels(labeled, propose_labeling_sets(labeled.table, [], Settings()))
    match_ids = find_matches(labeled.table, labels, Settings())
    assert len(set(match_ids)) >= 0.99 * len(labeled.truth)
