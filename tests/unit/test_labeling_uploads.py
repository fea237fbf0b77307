"""Labels come back from a spreadsheet, whatever it has done to the rest of the file."""

import csv
import io
from collections.abc import Callable

import pytest

from core.labeling.damaged_cells import same_cell
from core.labeling.errors import RowsNotRecognized, UnreadableUpload
from core.labeling.labeling_set_file import LabelingSetFile
from core.labeling.spreadsheet import spreadsheet_copy
from core.labeling.uploads import read_upload
from tests.fakes.labeling_room import LabelingRoom

FILE = LabelingSetFile.parse(
    """labeling_set_id,label,id,name,phone,born
s1,,0017,Müller,=1+1,2019-03-05
s1,,0018,Miller,123456789012,1984-12-31
s1,,0019,Øster,-5,2001-01-02
s2,,0020,Ann,555,1999-09-09
s2,,0021,Anne,555,1999-09-09
""".encode()
)
LABELS = ["x", "x", "?", "p", "q"]
ANSWERS = {0: 1, 1: 1, 2: "unsure", 3: "alone", 4: "alone"}
Table = list[list[str]]


def filled() -> Table:
    """The rows of the copy, with the labels of a person."""
    table = list(csv.reader(io.StringIO(spreadsheet_copy({}, FILE).removeprefix("\ufeff"), newline="")))
    return [table[0], *([row[0], label, *row[2:]] for row, label in zip(table[1:], LABELS, strict=True))]


def saved(table: Table, *, separator: str = ",", encoding: str = "utf-8") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows(table)
    return text.getvalue().encode(encoding)


def each(table: Table, change: Callable[[list[str]], list[str]]) -> Table:
    return [table[0], *map(change, table[1:])]


DAMAGES: dict[str, tuple[bytes, int]] = {
    "none": (saved(filled()), 0),
    "a byte order mark": (saved(filled(), encoding="utf-8-sig"), 0),
    "UTF-16": (saved(filled(), encoding="utf-16"), 0),
    "cp1252": (saved(filled(), encoding="cp1252"), 0),
    "semicolons": (saved(filled(), separator=";"), 0),
    "tabs": (saved(filled(), separator="\t"), 0),
    "semicolons, announced": (b"sep=;\r\n" + saved(filled(), separator=";"), 0),
    "lost zeros": (saved(each(filled(), lambda row: [*row[:2], row[2].lstrip("0"), *row[3:]])), 5),
    "dates, German": (saved(each(filled(), lambda row: [*row[:5], ".".join(reversed(row[5].split("-")))])), 5),
    "dates, American": (saved(each(filled(), lambda row: [*row[:5], "{1}/{2}/{0}".format(*row[5].split("-"))])), 5),
    "a rounded number": (saved(each(filled(), lambda row: [cell.replace("123456789012", "1.23457E+11") for cell in row])), 1),
    "sorted rows": (saved([filled()[0], *sorted(filled()[1:], key=lambda row: row[3])]), 0),
    "sorted, and set ids lost": (saved([filled()[0], *(["", *row[1:]] for row in reversed(filled()[1:]))]), 0),
    "moved columns": (saved([[*row[2:], *row[:2]] for row in filled()]), 0),
    "another column": (saved([[*row, "note"] for row in filled()]), 0),
    "unreadable characters": (saved(filled()).decode().replace("ü", "?").replace("Ø", "?").encode(), 2),
    "empty lines": (saved([*filled(), [""] * 6, [""]]), 0),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_labels_survive_what_a_spreadsheet_does(damage: str) -> None:
    content, damaged_cells = DAMAGES[damage]
    upload = read_upload(content, FILE)
    assert upload.answers == ANSWERS
    assert upload.damaged_cells == damaged_cells


def test_rows_without_a_label_stay_open() -> None:
    table = filled()
    table[1][1] = table[2][1] = ""
    assert read_upload(saved(table), FILE).answers == {2: "unsure", 3: "alone", 4: "alone"}
    assert read_upload(saved(table[:4]), FILE).answers == {2: "unsure"}


def test_a_row_that_may_be_several_is_named_and_nothing_is_taken() -> None:
    table = filled()
    table[4] = ["s2", "p", "", "An", "555", "1999-09-09"]
    with pytest.raises(RowsNotRecognized) as caught:
        read_upload(saved(table), FILE)
    assert [finding.message for finding in caught.value.findings] == [
        "line 5: may be 2 rows of this labeling set; its cells are too damaged"
    ]


def test_rows_of_another_set_and_repeated_rows_are_named() -> None:
    table = [*filled(), filled()[1], ["s9", "x", "9999", "Nobody", "0", "1900-01-01"]]
    with pytest.raises(RowsNotRecognized) as caught:
        read_upload(saved(table), FILE)
    assert [finding.message for finding in caught.value.findings] == [
        "line 7: is the same row as line 2",
        "line 8: is no row of this labeling set",
    ]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"a,b\n1,2\n", b"labeling_set_id,label,id\n"])
def test_another_file_is_refused_with_what_is_missing(content: bytes) -> None:
    with pytest.raises(UnreadableUpload, match="has no column"):
        read_upload(content, FILE)


def test_the_copy_starts_no_formula_and_keeps_what_was_answered() -> None:
    lines = spreadsheet_copy({0: 1, 1: 1, 2: "unsure"}, FILE).splitlines()
    assert lines[0] == "\ufefflabeling_set_id,label,id,name,phone,born"
    assert lines[1] == "s1,A,0017,Müller,'=1+1,2019-03-05"
    assert lines[3] == "s1,?,0019,Øster,'-5,2001-01-02"
    assert lines[4] == "s2,,0020,Ann,555,1999-09-09"


@pytest.mark.parametrize(
    ("ours", "theirs", "same"),
    [
        ("a", "b", False),
        ("Ann  Lee", "ann lee", True),
        ("1", "2", False),
        ("1.50", "1,5", True),
        ("123456789012", "1.23456E+11", False),
        ("2019-03-05", "05.03.19", True),
        ("2019-03-05", "06.03.2019", False),
        ("2019-13-05", "05.13.2019", False),
        ("Zürich", "Z?rich", True),
        ("Zurich", "Z?rich", False),
    ],
)
def test_cells_are_the_same_only_if_one_is_the_other_rewritten(ours: str, theirs: str, same: bool) -> None:  # noqa: FBT001  a column
    assert same_cell(ours, theirs) is same


def test_an_upload_is_saved_like_any_answers() -> None:
    room = LabelingRoom()
    token = room.token()
    copy = room.call("GET", "/labels.csv", token, query={"for": "spreadsheet"}).body
    filled_copy = copy.replace("s1,,", "s1,same,").replace("s2,,", "s2,?,")
    late = room.etag(token)
    taken = room.call("PUT", "/labels.csv", token, filled_copy, etag=late)
    assert (taken.status, taken.body) == (200, {"taken": 5, "damagedCells": 0, "ambiguous": 0})
    assert room.call("GET", "", token).body["answers"] == {"0": 1, "1": 1, "2": 1, "3": "unsure", "4": "unsure"}
    assert room.call("PUT", "/labels.csv", token, filled_copy, etag=late).status == 412
    refused = room.call("PUT", "/labels.csv", token, copy + "s9,x,9,9\r\n", etag=room.etag(token))
    assert (refused.status, refused.body["errors"]) == (422, [{"message": "line 7: is no row of this labeling set"}])
