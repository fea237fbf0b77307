"""The rules for label files: each problem names its line and the remedy."""

import gzip
import tracemalloc
from collections.abc import Iterator

import pytest

from core.label_file import validate_label_file
from tests.fakes.files import GOOD

HEADER = b"labeling_set_id,label,id,name\n"
COLUMNS = ("id", "name")
WITHOUT_MARK = "save the file as UTF-8 without one, in an editor, or remove its first three bytes"
LABEL_OR_LEAVE_OUT = "label every row of a set (one that matches nothing gets a label of its own), or leave the whole set out"
REMOVE_SPACE = "remove it, since 'A ' and 'A' are different labels"


def problems(body: bytes, columns: tuple[str, ...] = COLUMNS) -> list[str]:
    return validate_label_file([body[:7], body[7:]], columns, "id")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", ["line 1: the header must begin with labeling_set_id,label"]),
        (b"id,name\n1,Ann\n", ["line 1: the header must begin with labeling_set_id,label"]),
        (
            b"\xef\xbb\xbf" + GOOD,
            [f"line 1: begins with a byte order mark, as Excel's 'CSV UTF-8' does; {WITHOUT_MARK}"],
        ),
        (
            HEADER.replace(b"name", b"nam"),
            ["line 1: the transform has no column 'nam'", "line 1: the transform's column 'name' is missing"],
        ),
        (HEADER.replace(b"\n", b",name\n"), ["line 1: the column 'name' appears more than once"]),
        (HEADER, ["line 2: there are no labeled rows"]),
        (
            HEADER + b"a,1,1,x\na,,2,y\n",
            [f"line 3: 1 row has no label, in labeling set 'a'; {LABEL_OR_LEAVE_OUT}"],
        ),
        (HEADER + b"a,1,1,x\na,1,2,y\n,1,3,z\n", ["line 4: labeling_set_id is blank"]),
        (
            HEADER + b"a,1,1,x\na,1,2\n",
            ["line 2: the labeling set 'a' has 1 row; 2 to 50 are allowed", "line 3: has 3 cells, the header has 4"],
        ),
        (HEADER + b'a,1,1,"two\nlines"\na,1,2,y\nb,1,3,z\n', ["line 5: the labeling set 'b' has 1 row; 2 to 50 are allowed"]),
        (
            HEADER + b"".join(b"a,1,%d,x\n" % n for n in range(51)),
            ["line 2: the labeling set 'a' has 51 rows; 2 to 50 are allowed"],
        ),
        (HEADER + b"a,1,1,caf\xe9\n", ["line 2: is not UTF-8; save the file as UTF-8"]),
        (
            b"labeling_set_id,label,name,id\na,1,x,1\na,2,y,2\n",
            ["line 1: the columns are in another order than the table's; the order is labeling_set_id,label,id,name"],
        ),
        (HEADER.replace(b"\n", b",\n"), ["line 1: there is a column without a name, as by a comma at the end; remove it"]),
        (HEADER.replace(b",", b";"), ["line 1: the columns are separated by semicolons; separate them by commas"]),
        (HEADER.replace(b",", b"\t"), ["line 1: the columns are separated by tabs; separate them by commas"]),
        (
            b"sep=;\r\n" + GOOD,
            ["line 1: begins with Excel's line 'sep='; remove that line, and separate the columns by commas"],
        ),
        (GOOD.decode().encode("utf-16"), ["line 1: is UTF-16; save the file as UTF-8"]),
        (gzip.compress(GOOD, mtime=0), ["line 1: is compressed with gzip; import the file itself"]),
        (
            b"PK\x03\x04" + b"\0" * 100,
            ["line 1: is an Excel workbook or a zip file; save it as CSV UTF-8, separated by commas"],
        ),
        (
            HEADER + b"a,A,1,x\na,A ,2,y\n",
            [f"line 3: label 'A ' begins or ends with space; {REMOVE_SPACE}"],
        ),
        (
            HEADER + "a,A,1,x\na,A,2,y\na\u200b,A,3,x\na\u200b,A,4,x\n".encode(),
            [f"line {line}: labeling_set_id 'a\\u200b' begins or ends with space; {REMOVE_SPACE}" for line in (4, 5)],
        ),
        (HEADER + b"a,A,1,x\na,A,1,x\n", ["line 2: the labeling set 'a' has 1 row; 2 to 50 are allowed"]),
        (
            HEADER + b"a,A,1,x\na,A,2,x\na,B,1,x\n",
            ["line 4: the same row has another label in line 2, in the same labeling set"],
        ),
        (HEADER + b"a,A,1,x\na,A, ,x\n", ["line 3: the primary key, 'id', is blank"]),
        (
            HEADER + b"a,A,1,x\na,A,9.91214E+15,x\n",
            ["line 3: '9.91214E+15' in 'id' is a number that a spreadsheet has rounded; read that column as text"],
        ),
        (HEADER + b'a,A,1,"x\ny\na,A,2,z\n', ["line 2: a quote that opens in this row is never closed"]),
        (
            HEADER + b'a,A,1,"x" y\na,A,2,z\n',
            ["line 2: text follows a closing quote; write a quote inside a quoted cell twice"],
        ),
        (
            HEADER + b"a,A,1,x\na,A,2,y\n" + b"".join(b"%c,,1,x\n%c,,2,y\n" % (n, n) for n in b"bcdefghi"),
            [f"line 4: 16 rows have no label, in labeling sets 'b', 'c', 'd', 'e', 'f' and 3 more; {LABEL_OR_LEAVE_OUT}"],
        ),
    ],
)
def test_problem_names_the_line_and_the_remedy(body: bytes, expected: list[str]) -> None:
    assert problems(body) == expected


@pytest.mark.parametrize(
    "body",
    [
        GOOD,
        GOOD.replace(b"\n", b"\r\n"),
        HEADER + b"".join(b"a,1,%d,x\n" % n for n in range(50)),
        "labeling_set_id,label,id,name\nä,ü,1,日本\nä,ü,2,\n".encode(),
        GOOD.replace(b"\n", b"\r"),
        HEADER + b'a,1,1,"say ""hi"", twice"\n\n\na,2,2,"two\r\nlines"\n',
        HEADER + b'a,1,1,"say \\"hi\\", twice"\na,2,2,"C:\\\\x"\n',
        HEADER + b'a,1,1,"C:\\"\na,2,2,x\n',
        HEADER + b"a,1,1,x\na,1,1,x\na,2,2,y\n",
    ],
)
def test_valid_file_has_no_problems(body: bytes) -> None:
    assert problems(body) == []


def test_columns_are_not_checked_if_glue_does_not_return_them() -> None:
    assert problems(b"labeling_set_id,label,x\na,1,1\na,1,2\n", ()) == []


def test_first_twenty_problems_are_shown_and_the_others_counted() -> None:
    shown = problems(HEADER + b"".join(b"a,1,%d\n" % n for n in range(30)))
    assert len(shown) == 21
    assert shown[-1] == "and 10 more"
    assert shown[0].startswith("line 2:")


def test_large_file_is_validated_in_little_memory() -> None:
    def chunks() -> Iterator[bytes]:
        yield HEADER
        for number in range(9_000):
            yield b"set%d,1,1,%s\nset%d,1,2,y\n" % (number, b"x" * 1000, number)

    tracemalloc.start()
    assert validate_label_file(chunks(), COLUMNS) == []
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000 < 9_000 * 1_000
