"""Label files: which are accepted, and which are refused with which line and reason."""

import csv
import io
from typing import Any

import pytest

from findmatches import Table
from local.glue.label_files import LabeledRow, LabelFileRefused, read_labels, write_labeling_sets, write_labels
from local.glue.label_merge import append_labels
from tests.glue_emulator.emulator import Emulator
from tests.glue_emulator.people import TWO_SETS, label_file

HEADER = "labeling_set_id,label,id,name,note\n"
TABLE = Table(
    {
        "id": [f"k{number}" for number in range(70)],
        "name": [f"Jörg, {number}" if number % 2 else None for number in range(70)],
        "note": ['say "hi"\nthere'] * 70,
    },
    "id",
)


def lines(*rows: str) -> bytes:
    return (HEADER + "".join(f"{row},,\n" for row in rows)).encode()


def many(count: int) -> bytes:
    return lines(*(f"big,A,k{number}" for number in range(count)))


ACCEPTED: dict[str, tuple[bytes, list[tuple[str, str, str]]]] = {
    "a match and a non-match": (
        lines("s,A,k1", "s,A,k2", "s,B,k3"),
        [("s", "A", "k1"), ("s", "A", "k2"), ("s", "B", "k3")],
    ),
    "labels are case-sensitive": (lines("s,a,k1", "s,A,k2"), [("s", "a", "k1"), ("s", "A", "k2")]),
    "an identical row counts once": (lines("s,A,k1", "s,B,k2", "s,A,k1"), [("s", "A", "k1"), ("s", "B", "k2")]),
    "one row in two sets, with labels of their own": (
        lines("s,A,k1", "s,A,k2", "t,A,k1", "t,B,k2"),
        [("s", "A", "k1"), ("s", "A", "k2"), ("t", "A", "k1"), ("t", "B", "k2")],
    ),
    "Windows line ends and blank lines": (
        lines("s,A,k1", "s,B,k2").replace(b"\n", b"\r\n") + b"\r\n\r\n",
        [("s", "A", "k1"), ("s", "B", "k2")],
    ),
    "changed cells outside key and label are ignored": (
        HEADER.encode() + b's,A,k1,"Jorg",x\ns,B,k2,,"two\nlines"\n',
        [("s", "A", "k1"), ("s", "B", "k2")],
    ),
    "a set of 50": (many(50), [("big", "A", f"k{number}") for number in range(50)]),
}

REFUSED: dict[str, tuple[bytes, str]] = {
    "BOM": (b"\xef\xbb\xbf" + lines("s,A,k1", "s,B,k2"), "Line 1: the file starts with a byte order mark"),
    "UTF-16": ((HEADER + "s,A,k1,,").encode("utf-16"), "Line 1: the file starts with a byte order mark"),
    "cp1252": (
        HEADER.encode() + "s,A,k1,Jörg,\ns,B,k2,,\n".encode("cp1252"),
        "Line 2: byte 0xf6 is not UTF-8; the file may be encoded with cp1252.",
    ),
    "reordered columns": (
        b"labeling_set_id,label,id,note,name\ns,A,k1,,\n",
        "Line 1: the columns are in another order than the table's; the header must be labeling_set_id,label,id,name,note.",
    ),
    "missing column": (b"labeling_set_id,label,id,name\ns,A,k1,\n", "Line 1: columns missing note;"),
    "extra column": (b"labeling_set_id,label,id,name,note,who\ns,A,k1,,,\n", "Line 1: columns unknown who;"),
    "no header": (b"s,A,k1,,\ns,B,k2,,\n", "Line 1: columns missing labeling_set_id, label, id, name, note and unknown"),
    "semicolons": (HEADER.replace(",", ";").encode(), "Line 1: columns missing"),
    "header only": (HEADER.encode(), "Line 2: the file has a header and no labeled rows."),
    "unknown row": (lines("s,A,k1", "s,A,k99"), "Line 3: row 'k99' is not in the transform's table."),
    "primary key as a number": (lines("s,A,k1", "s,A,2"), "Line 3: row '2' is not in the transform's table."),
    "blank label": (
        lines("s,A,k1", "s,,k2"),
        "Line 3: the label is blank; a row that matches nothing gets a label of its own.",
    ),
    "label of spaces": (lines("s,A,k1", "s,  ,k2"), "Line 3: the label is blank"),
    "blank set": (lines("s,A,k1", "s,A,k2", ",A,k3", ",A,k4"), "Line 4: the labeling_set_id is blank."),
    "one-row set": (lines("s,A,k1", "s,B,k2", "t,A,k3"), "Line 4: labeling set 't' has one row; a set needs at least 2."),
    "set of 60": (many(60), "Line 2: labeling set 'big' has 60 rows; a set has at most 50."),
    "contradiction": (
        lines("s,A,k1", "s,A,k2", "s,B,k1"),
        "Line 4: row 'k1' of labeling set 's' has label 'B' here and 'A' in line 2.",
    ),
    "too few fields": (lines("s,A,k1") + b"s,A,k2\n", "Line 3: 3 fields where the header has 5."),
    "too many fields": (HEADER.encode() + b"s,A,k1,x,y,z\n", "Line 2: 6 fields where the header has 5."),
    "the line after a cell of two lines": (
        HEADER.encode() + b's,A,k1,,"two\nlines"\ns,A,nobody,,\n',
        "Line 4: row 'nobody' is not in the transform's table.",
    ),
    "an open quote": (HEADER.encode() + b's,A,k1,,"open\n', "unexpected end of data"),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_accepted_label_files(case: str) -> None:
    body, rows = ACCEPTED[case]
    assert read_labels(body, TABLE) == [LabeledRow(*row) for row in rows]


@pytest.mark.parametrize("case", REFUSED)
def test_refused_label_files(case: str) -> None:
    body, message = REFUSED[case]
    with pytest.raises(LabelFileRefused) as raised:
        read_labels(body, TABLE)
    assert message in str(raised.value)


def test_at_most_ten_problems_are_listed() -> None:
    with pytest.raises(LabelFileRefused) as raised:
        read_labels(lines(*(f"s,,x{number}" for number in range(8))), TABLE)
    message = str(raised.value)
    assert message.count("Line ") == 10
    assert message.endswith("And 6 more.")


def test_a_generated_labeling_file_can_be_imported_once_answered() -> None:
    body = write_labeling_sets(TABLE, [("one", [3, 1]), ("two", [0, 2, 5])])
    assert body.startswith(b"labeling_set_id,label,id,name,note\n")
    header, *rows = csv.reader(io.StringIO(body.decode("utf-8"), newline=""))
    assert [(row[0], row[1], row[2]) for row in rows] == [
        ("one", "", "k3"),
        ("one", "", "k1"),
        ("two", "", "k0"),
        ("two", "", "k2"),
        ("two", "", "k5"),
    ]
    assert rows[0][3:] == ["Jörg, 3", 'say "hi"\nthere']
    assert rows[2][3] == ""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([header, *([row[0], "A", *row[2:]] for row in rows)])
    assert len(read_labels(text.getvalue().encode(), TABLE)) == 5


def test_an_export_can_be_imported_again() -> None:
    labels = [LabeledRow("s", "A", "k1"), LabeledRow("s", "B", "k2")]
    assert read_labels(write_labels(TABLE, [*labels, LabeledRow("s", "A", "left the table")]), TABLE) == labels


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
