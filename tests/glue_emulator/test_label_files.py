"""Label files: which are accepted, and which are refused with which line and reason."""

import csv
import io

import pytest

from findmatches import Table
from local.glue.label_files import read_labels, write_labeling_sets, write_labels
from local.glue.label_rules import LabeledRow, LabelFileRefused

HEADER = "labeling_set_id,label,id,name,note\n"
REMEDY = "label every row of a set (a row that matches nothing gets a label of its own), or leave the set out."
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
    "quotes that follow a backslash, as Spark writes them": (
        HEADER.encode() + b's,A,k1,"say \\"hi\\", twice",\ns,B,k2,"C:\\\\x",\n',
        [("s", "A", "k1"), ("s", "B", "k2")],
    ),
    "a backslash before a closing quote": (
        HEADER.encode() + b's,A,k1,"C:\\",\ns,B,k2,,\n',
        [("s", "A", "k1"), ("s", "B", "k2")],
    ),
    "the line ends of old Macs": (
        lines("s,A,k1", "s,B,k2").replace(b"\n", b"\r"),
        [("s", "A", "k1"), ("s", "B", "k2")],
    ),
    "a set of 50": (many(50), [("big", "A", f"k{number}") for number in range(50)]),
}

REFUSED: dict[str, tuple[bytes, str]] = {
    "BOM": (b"\xef\xbb\xbf" + lines("s,A,k1", "s,B,k2"), "Line 1: the file starts with a byte order mark"),
    "UTF-16": ((HEADER + "s,A,k1,,").encode("utf-16"), "Line 1: the file is UTF-16 with a byte order mark"),
    "an Excel workbook": (b"PK\x03\x04rest", "Line 1: the file is an Excel workbook or a zip file"),
    "tabs": (HEADER.replace(",", "\t").encode(), "Line 1: the columns are separated by tabs, not by commas."),
    "Excel's separator line": (b"sep=,\r\n" + HEADER.encode(), "Line 1: the file starts with Excel's line 'sep='"),
    "a label with a space": (
        lines("s,A,k1", "s,A ,k2"),
        "Line 3: the label 'A ' begins or ends with space; 'A ' and 'A' are different labels.",
    ),
    "a set with a no-break space": (
        lines("s,A,k1", "s,A,k2", "s\u00a0,A,k3"),
        "Line 4: the labeling_set_id 's\\xa0' begins or",
    ),
    "a rounded key": (lines("s,A,k1", "s,A,9.91E+15"), "Line 3: row '9.91E+15' is not in the transform's table: a spreadsheet"),
    "a blank key": (lines("s,A,k1", "s,A, "), "Line 3: the primary key is blank."),
    "one row twice": (lines("s,A,k1", "s,A,k1"), "Line 2: labeling set 's' has one row; a set needs at least 2."),
    "a row of two megabytes": (lines("s,A,k1") + b's,A,k2,"' + b"x\n" * 2**20 + b'",\n', "Line 3: the row has more than"),
    "problems before a line that is not UTF-8": (lines("s,A,k1", "s,A,k99") + b"s,A,\xff,,\n", "Line 3: row 'k99' is not in"),
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
    "semicolons": (HEADER.replace(",", ";").encode(), "Line 1: the columns are separated by semicolons, not by commas."),
    "header only": (HEADER.encode(), "Line 2: the file has a header and no labeled rows."),
    "unknown row": (lines("s,A,k1", "s,A,k99"), "Line 3: row 'k99' is not in the transform's table."),
    "primary key as a number": (lines("s,A,k1", "s,A,2"), "Line 3: row '2' is not in the transform's table."),
    "blank label": (
        lines("s,A,k1", "s,,k2"),
        f"Line 3: 1 row has no label, in labeling set 's'; {REMEDY}",
    ),
    "label of spaces": (lines("s,A,k1", "s,  ,k2"), "Line 3: 1 row has no label, in labeling set 's';"),
    "half answered": (
        lines("s,A,k1", "s,A,k2", *(f"{name},,k{key}" for name in "abcdefg" for key in (3, 4))),
        "Line 4: 14 rows have no label, in labeling sets 'a', 'b', 'c', 'd', 'e', ...;",
    ),
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
    "an open quote": (
        HEADER.encode() + b's,A,k1,,"two\nlines"\ns,A,k2,,"open\n',
        "Line 4: a quote that opens in this row is never closed.",
    ),
    "text after a quote": (HEADER.encode() + b's,A,k1,,"a"b\n', "Line 2: text follows a closing quote;"),
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
        read_labels(lines(*(f"s ,A,x{number}" for number in range(8))), TABLE)
    message = str(raised.value)
    assert message.count("Line ") == 10
    assert message.endswith("And 6 more.")


def test_zeros_that_a_spreadsheet_dropped_are_named() -> None:
    table = Table({"id": ["0007", "0008"]}, "id")
    with pytest.raises(LabelFileRefused, match=r"Line 2: row '7' is not in .* may have dropped the zeros of '0007'\."):
        read_labels(b"labeling_set_id,label,id\ns,A,7\ns,A,0008\n", table)


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
