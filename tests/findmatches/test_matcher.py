"""Fit once, save, load, match: the same groups as from the labels themselves, on this table and on others."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

import numpy as np
import pytest

from findmatches import (
    InvalidLabels,
    InvalidModel,
    InvalidTable,
    Label,
    Matcher,
    Model,
    Settings,
    Table,
    find_matches,
)
from findmatches.metrics import pairwise_f1
from tests.findmatches.synthetic_people import LabeledTable, synthetic_people

ALIKE: dict[str, list[str | None]] = {"id": ["a", "b", "c"], "name": ["ann", "ann", "ann"]}


@pytest.fixture(scope="module")
def labels(people: LabeledTable) -> list[Label]:
    return people.labeled(runs=1)


@pytest.fixture(scope="module")
def model(people: LabeledTable, labels: list[Label]) -> Model:
    return Matcher(Settings()).fit(people.table, labels)


@pytest.fixture
def folder(model: Model, tmp_path: Path) -> Path:
    model.save(tmp_path / "model")
    return tmp_path / "model"


def copied(table: Table) -> Table:
    return Table({name: list(cells) for name, cells in table.columns.items()}, table.primary_key)


def test_a_loaded_model_matches_as_the_fitted_one_and_as_find_matches(
    people: LabeledTable, labels: list[Label], model: Model, folder: Path
) -> None:
    fitted = model.match(people.table)
    loaded = Model.load(folder)
    again = loaded.match(copied(people.table))
    assert fitted.match_id == find_matches(people.table, labels, Settings())
    assert again.match_id == fitted.match_id
    assert np.array_equal(again.match_confidence, fitted.match_confidence)
    assert again.weakest_link == fitted.weakest_link
    assert loaded.labels_digest == model.labels_digest
    assert pairwise_f1(fitted.match_id, people.truth) >= 0.95


def test_the_order_of_the_rows_changes_no_id_and_no_confidence(people: LabeledTable, folder: Path) -> None:
    order = Random(1).sample(range(len(people.truth)), len(people.truth))  # noqa: S311 - a shuffle
    shuffled = Table({name: [cells[row] for row in order] for name, cells in people.table.columns.items()}, "id")
    model = Model.load(folder)
    ordered, reordered = model.match(people.table), model.match(shuffled)
    assert [ordered.match_id[row] for row in order] == reordered.match_id
    assert np.array_equal(ordered.match_confidence[order], reordered.match_confidence)
    assert ordered.weakest_link == reordered.weakest_link


def test_a_model_matches_a_table_that_it_never_saw(folder: Path) -> None:
    strangers = synthetic_people(100, seed=7)
    assert pairwise_f1(Model.load(folder).match(strangers.table).match_id, strangers.truth) >= 0.95


def test_labels_are_no_evidence_for_other_rows_with_the_same_keys(people: LabeledTable) -> None:
    keys = [str(key) for key in people.table.keys]
    misled = [Label("s", "same", key) for key in keys[:2]]
    model = Matcher(Settings(enforce_labels=True)).fit(people.table, misled)
    assert len(set(model.match(people.table).match_id[:2])) == 1
    strangers = synthetic_people(100, seed=7).table
    rows = min(len(strangers), len(keys))
    renamed = Table({name: (keys if name == "id" else cells)[:rows] for name, cells in strangers.columns.items()}, "id")
    assert len(set(model.match(renamed).match_id[:2])) == 2


def test_known_ids_are_kept_and_joined(people: LabeledTable, model: Model) -> None:
    before = model.match(people.table).match_id
    twin = next(row for row, name in enumerate(before) if before.count(name) == 2)
    known = [None if row == twin else f"known {name}" for row, name in enumerate(before)]
    after = model.match(people.table, known).match_id
    assert after == [f"known {name}" for name in before]


def test_confidence_is_high_in_true_groups_and_low_in_doubtful_ones(people: LabeledTable, model: Model) -> None:
    matches = model.match(people.table)
    true_of_id: dict[str, set[str]] = {}
    for name, truth in zip(matches.match_id, people.truth, strict=True):
        true_of_id.setdefault(name, set()).add(truth)
    assert ((matches.match_confidence >= 0) & (matches.match_confidence <= 1)).all()
    grouped = [row for row, name in enumerate(matches.match_id) if matches.match_id.count(name) > 1]
    assert np.mean([matches.match_confidence[row] for row in grouped if len(true_of_id[matches.match_id[row]]) == 1]) > 0.8
    assert set(matches.weakest_link) == {matches.match_id[row] for row in grouped}
    for name, link in matches.weakest_link.items():
        keys = [key for key, own in zip(people.table.keys, matches.match_id, strict=True) if own == name]
        assert {link.left_key, link.right_key} <= set(keys)
        assert 0 <= link.probability <= 1


def test_the_files_hold_no_pickle_and_no_cell(people: LabeledTable, folder: Path) -> None:
    names = {path.suffix for path in folder.iterdir()}
    assert names == {".json", ".npy"}
    stored = b"".join(path.read_bytes() for path in folder.iterdir())
    cells = [cell for name in people.table.names for cell in people.table.columns[name]]
    assert not [cell for cell in cells if cell and len(cell) > 6 and cell.encode() in stored]
    for path in folder.glob("*.npy"):
        np.load(path, allow_pickle=False)


def test_the_same_model_is_saved_as_the_same_bytes(model: Model, folder: Path, tmp_path: Path) -> None:
    model.save(tmp_path / "twice")
    Model.load(folder).save(tmp_path / "again")
    for path in folder.iterdir():
        assert (
            path.read_bytes() == (tmp_path / "twice" / path.name).read_bytes() == (tmp_path / "again" / path.name).read_bytes()
        )


def _delete_array(folder: Path) -> None:
    (folder / "first_mean.npy").unlink()


def _damage_array(folder: Path) -> None:
    path = folder / "second_trees_values.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")


def _cut_document(folder: Path) -> None:
    path = folder / "model.json"
    path.write_text(path.read_text()[:100])


def _edit_document(folder: Path) -> None:
    path = folder / "model.json"
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 1'))


def _newer_format(folder: Path) -> None:
    path = folder / "model.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "format": 99}))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (shutil.rmtree, "holds no model: it has no model.json"),
        (_delete_array, "first_mean.npy is missing"),
        (_damage_array, "second_trees_values.npy is damaged: its checksum differs"),
        (_cut_document, "model.json is damaged: it is no JSON document"),
        (_edit_document, "model.json is damaged: its checksum differs"),
        (_newer_format, "has format 99; this version of findmatches reads format 1"),
    ],
)
def test_a_folder_that_is_no_sound_model_is_refused_with_the_remedy(
    folder: Path, spoil: Callable[[Path], None], message: str
) -> None:
    spoil(folder)
    with pytest.raises(InvalidModel, match=message):
        Model.load(folder)


def test_a_table_without_a_compared_column_is_refused(people: LabeledTable, model: Model) -> None:
    missing = Table({"id": people.table.columns["id"], "other": people.table.columns["id"]}, "id")
    with pytest.raises(InvalidTable, match=r"has no column \w+, which the model compares"):
        model.match(missing)


@pytest.mark.parametrize(
    ("label", "message"),
    [
        (Label("s", "x", "gone"), "Label 2, set s: no row has gone in column id, the primary key"),
        (Label("s", " ", "b"), "Label 2: its label is blank"),
        (Label("", "x", "b"), "Label 2: its labeling set id is blank"),
        (Label("s", ["x"], "b"), "Label 2: its label is no text"),  # type: ignore[arg-type]
        (("s", "x", "b"), "Label 2 is no Label"),
    ],
)
def test_an_unusable_label_is_refused_by_its_number(label: Label, message: str) -> None:
    with pytest.raises(InvalidLabels, match=message):
        Matcher().fit(Table({**ALIKE}, "id"), [Label("s", "x", "a"), label])


def test_a_model_of_rows_that_are_all_alike_can_be_saved(tmp_path: Path) -> None:
    table = Table({**ALIKE}, "id")
    model = Matcher().fit(table, [])
    model.save(tmp_path)
    matches = Model.load(tmp_path).match(copied(table))
    assert len(set(matches.match_id)) == 1
    assert matches.match_confidence.tolist() == [1, 1, 1]
    assert model.match(table).match_id == matches.match_id
