"""Labels of several files: appended or replaced, counted, and exported."""

import csv
import io
from typing import Any

import pytest

from local.glue.label_merge import append_labels
from local.glue.label_rules import LabeledRow
from tests.glue_emulator.emulator import Emulator
from tests.glue_emulator.people import TWO_SETS, label_file


def rows_of(*labels: str) -> list[LabeledRow]:
    return [LabeledRow(*label.split()) for label in labels]


@pytest.mark.parametrize(
    ("stored", "added", "combined"),
    [
        (rows_of("s A 1", "s A 2"), rows_of("t A 3", "t B 4"), rows_of("s A 1", "s A 2", "t A 3", "t B 4")),
        (rows_of("s A 1", "s A 2", "t A 3", "t A 4"), rows_of("s A 1", "s B 2"), rows_of("t A 3", "t A 4", "s A 1", "s B 2")),
        (rows_of("s A 1", "s A 2"), rows_of("s A 3", "s B 4"), rows_of("s A 1", "s A 2", "s#2 A 3", "s#2 B 4")),
        (
            rows_of("s A 1", "s A 2", "s#2 A 3", "s#2 B 4"),
            rows_of("s B 3", "s B 4"),
            rows_of("s A 1", "s A 2", "s#2 B 3", "s#2 B 4"),
        ),
        (
            rows_of("s A 1", "s A 2", "s A 3", "t A 4", "t A 5"),
            rows_of("s A 1", "s B 3"),
            rows_of("t A 4", "t A 5", "s A 1", "s B 3"),
        ),
        (
            rows_of("s A 1", "s A 2"),
            rows_of("s A 1", "s B 2", "s C 3"),
            rows_of("s A 1", "s A 2", "s#2 A 1", "s#2 B 2", "s#2 C 3"),
        ),
        (
            rows_of("s A 1", "s A 2", "s#2 A 3", "s#2 B 4", "s#2 B 5"),
            rows_of("s B 3", "s B 5"),
            rows_of("s A 1", "s A 2", "s#2 B 3", "s#2 B 5"),
        ),
    ],
    ids=[
        "new sets are added",
        "a set is answered again",
        "an id is used for other rows",
        "the renamed set is answered again",
        "a set is answered again with a row left out",
        "a set with a row more is another set",
        "the renamed set is answered again with a row left out",
    ],
)
def test_appending_a_label_file(stored: list[LabeledRow], added: list[LabeledRow], combined: list[LabeledRow]) -> None:
    assert append_labels(stored, added) == combined


def labels_of(emulator: Emulator, transform: str) -> list[list[str]]:
    """The (set, label, key) rows of an export."""
    path = f"s3://{emulator.bucket}/export-{len(emulator.list_keys('export-'))}/"
    run = emulator.glue.start_export_labels_task_run(TransformId=transform, OutputS3Path=path)["TaskRunId"]
    emulator.wait_for_success(transform, run)
    (key,) = emulator.list_keys(path.removeprefix(f"s3://{emulator.bucket}/"))
    return [row[:3] for row in list(csv.reader(io.StringIO(emulator.get_object(key).decode())))[1:]]


def test_imports_append_or_replace_and_label_count_follows(emulator: Emulator) -> None:
    transform = emulator.create_transform()

    def import_labels(body: bytes, **options: Any) -> int:  # noqa: ANN401 - ReplaceAllLabels
        run = emulator.wait_for_success(transform, emulator.start_import(transform, body, **options))
        assert run["Properties"]["ImportLabelsTaskRunProperties"]["Replace"] is options.get("ReplaceAllLabels", False)
        return int(emulator.glue.get_ml_transform(TransformId=transform)["LabelCount"])

    more = label_file([("s3", "A", "p10a"), ("s3", "A", "p10b")])
    assert import_labels(TWO_SETS) == 5
    assert import_labels(TWO_SETS) == 5
    assert import_labels(more) == 7
    assert [row[0] for row in labels_of(emulator, transform)] == ["s1", "s1", "s1", "s2", "s2", "s3", "s3"]
    assert import_labels(more, ReplaceAllLabels=True) == 2
    assert labels_of(emulator, transform) == [["s3", "A", "p10a"], ["s3", "A", "p10b"]]


def test_a_refused_label_file_fails_the_run_and_changes_no_labels(any_emulator: Emulator) -> None:
    transform = any_emulator.create_transform()
    any_emulator.wait_for_success(transform, any_emulator.start_import(transform, TWO_SETS))
    bad = label_file([("s1", "A", "p00a"), ("s1", "A", "nobody")])
    run = any_emulator.wait_until_ended(transform, any_emulator.start_import(transform, bad, ReplaceAllLabels=True))
    assert run["Status"] == "FAILED"
    assert run["ErrorString"] == "Line 3: row 'nobody' is not in the transform's table."
    description = any_emulator.glue.get_ml_transform(TransformId=transform)
    assert (description["Status"], description["LabelCount"]) == ("READY", 5)


def test_a_refused_first_import_leaves_the_transform_not_ready(emulator: Emulator) -> None:
    transform = emulator.create_transform()
    assert emulator.wait_until_ended(transform, emulator.start_import(transform, b"a,b\n"))["Status"] == "FAILED"
    description = emulator.glue.get_ml_transform(TransformId=transform)
    assert (description["Status"], description["LabelCount"]) == ("NOT_READY", 0)
