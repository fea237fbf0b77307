"""One rule book for label files: the service's check and the Glue emulator's import give each file the same verdict.

Wherever the file alone tells: whether a row is in the table, only Glue knows.
"""

import csv
import io
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.label_file import validate_label_file
from findmatches import Table
from local.glue.label_files import read_labels
from local.glue.label_rules import LabelFileRefused

TABLE = Table({"sku": [f"{number:03}" for number in range(60)], "name": ["Pan, small"] * 60, "size": [None] * 60}, "sku")
HEADER = "labeling_set_id,label,sku,name,size\n"
GOOD = HEADER + "s1,A,001,,\ns1,A,002,,\ns1,B,003,,\n"


def rows(*cells: str) -> str:
    return HEADER + "".join(f"{row},,\n" for row in cells)


# The line of the first problem; None for files that both accept.
VERDICTS: dict[str, tuple[bytes, int | None]] = {
    "a valid file": (GOOD.encode(), None),
    "line ends of Windows": (GOOD.replace("\n", "\r\n").encode(), None),
    "line ends of old Macs": (GOOD.replace("\n", "\r").encode(), None),
    "empty lines": (GOOD.replace("\n", "\n\n").encode(), None),
    "no line end at the end": (GOOD.rstrip().encode(), None),
    "every cell quoted": (re.sub(r"([^,\n]*)([,\n])", r'"\1"\2', GOOD).encode(), None),
    "doubled quotes": ((GOOD + 's2,A,001,"a ""b"", c",\ns2,A,002,"two\nlines",\n').encode(), None),
    "quotes after a backslash": ((GOOD + 's2,A,001,"a \\"b\\", c",\ns2,A,002,"d \\"e\\"",\n').encode(), None),
    "a backslash at the end of a cell": ((GOOD + 's2,A,001,"C:\\",\ns2,A,002,,\n').encode(), None),
    "one row twice, with one label": (rows("s,A,001", "s,A,001", "s,B,002").encode(), None),
    "a set of 50": (rows(*(f"s,A,{number:03}" for number in range(50))).encode(), None),
    "sets that are mixed": (rows("s,A,001", "t,A,001", "s,A,002", "t,B,002").encode(), None),
    "labels that differ in case": (rows("s,a,001", "s,A,002").encode(), None),
    "nothing": (b"", 1),
    "only a header": (HEADER.encode(), 2),
    "no header": (b"s,A,001,,\n", 1),
    "an empty first line": (b"\n" + GOOD.encode(), 1),
    "a byte order mark": (b"\xef\xbb\xbf" + GOOD.encode(), 1),
    "semicolons": (GOOD.replace(",", ";").encode(), 1),
    "tabs": (GOOD.replace(",", "\t").encode(), 1),
    "vertical bars": (GOOD.replace(",", "|").encode(), 1),
    "quoted semicolons": (re.sub(r"([^,\n]*)([,\n])", r'"\1"\2', GOOD).replace(",", ";").encode(), 1),
    "Excel's separator line": (b"sep=,\r\n" + GOOD.encode(), 1),
    "UTF-16": (GOOD.encode("utf-16"), 1),
    "a workbook": (b"PK\x03\x04\x14\x00\x06\x00", 1),
    "gzip": (b"\x1f\x8b\x08\x00", 1),
    "columns in another order": (b"labeling_set_id,label,sku,size,name\ns,A,001,,\ns,A,002,,\n", 1),
    "label before set": (b"label,labeling_set_id,sku,name,size\nA,s,001,,\nA,s,002,,\n", 1),
    "a column less": (b"labeling_set_id,label,sku,name\ns,A,001,\ns,A,002,\n", 1),
    "a column more": (b"labeling_set_id,label,sku,name,size,x\ns,A,001,,,\ns,A,002,,,\n", 1),
    "a column twice": (b"labeling_set_id,label,sku,name,name\ns,A,001,,\ns,A,002,,\n", 1),
    "names in upper case": (GOOD.replace("labeling_set_id,label", "Labeling_Set_Id,Label").encode(), 1),
    "spaces in the header": (GOOD.replace(",label,", ", label,").encode(), 1),
    "commas at the end of lines": (GOOD.replace("\n", ",\n").encode(), 1),
    "a cell less": ((GOOD + "s1,A,004,\n").encode(), 5),
    "a cell more": ((GOOD + "s1,A,004,,,\n").encode(), 5),
    "a blank set": (rows("s,A,001", "s,A,002", " ,A,003").encode(), 4),
    "half answered": (rows("s,A,001", "s,A,002", "t,,003", "t,,004").encode(), 4),
    "a label of spaces": (rows("s,A,001", "s,  ,002").encode(), 3),
    "a label with a space": (rows("s,A,001", "s,A ,002").encode(), 3),
    "a label with a tab": (rows("s,A,001", "s,\tA,002").encode(), 3),
    "a label with a no-break space": (rows("s,A,001", "s,A\u00a0,002").encode(), 3),
    "a label with a zero-width space": (rows("s,A,001", "s,\u200bA,002").encode(), 3),
    "a set with a space": (rows("s,A,001", "s,A,002", "s ,A,003", "s ,A,004").encode(), 4),
    "one row, two labels": (rows("s,A,001", "s,A,002", "s,B,001").encode(), 4),
    "one row, two labels, other cells": ((rows("s,A,001", "s,A,002") + "s,B,001,x,y\n").encode(), 4),
    "only one row, twice": (rows("s,A,001", "s,A,001").encode(), 2),
    "a set of one row": (rows("s,A,001", "s,A,002", "t,A,003").encode(), 4),
    "a set of 51": (rows(*(f"s,A,{number:03}" for number in range(51))).encode(), 2),
    "a blank key": (rows("s,A,001", "s,A,").encode(), 3),
    "a rounded key": (rows("s,A,001", "s,A,1.23E+12").encode(), 3),
    "a quote that is not closed": (rows("s,A,001", "s,A,002").encode() + b's,A,003,"x,\ns,A,004,,\n', 4),
    "text after a quote": (rows("s,A,001", "s,A,002").encode() + b's,A,003,"x"y,\n', 4),
    "Latin-1": (rows("s,A,001", "s,A,002").encode() + "s,A,003,\xe9,\n".encode("latin-1"), 4),
    "Latin-1 in the header": (HEADER.replace("name", "n\xe4me").encode("latin-1"), 1),
    "a row of a megabyte": (rows("s,A,001", "s,A,002").encode() + b's,A,003,"' + b"x\n" * 2**19 + b'",\n', 4),
    "a line of two megabytes": (rows("s,A,001").encode() + b"s,A,002," + b"x" * 2**21 + b",\n", 3),
}


def verdict_of_service(body: bytes) -> int | None:
    problems = validate_label_file([body], TABLE.names, TABLE.primary_key)
    return int(problems[0].split(":")[0].removeprefix("line ")) if problems else None


def verdict_of_emulator(body: bytes) -> int | None:
    try:
        read_labels(body, TABLE)
    except LabelFileRefused as error:
        message = str(error)
        assert not re.search("universal-newline|codec|unexpected end|Error", message)
        return int(message.split(":", maxsplit=1)[0].removeprefix("Line "))
    return None


@pytest.mark.parametrize("case", VERDICTS)
def test_both_doors_give_the_verdict(case: str) -> None:
    body, expected = VERDICTS[case]
    assert (verdict_of_service(body), verdict_of_emulator(body)) == (expected, expected)


CELLS = st.sampled_from(["s", "A", "A ", "", " ", "001", 'a"b', "a,b", "a\nb", "a\r\nb", "\\", "é"])
KEYS = st.sampled_from(["001", "002", "003", "", "1.5E+10"])
SET_IDS, LABELS = st.sampled_from(["s", "t", "s ", ""]), st.sampled_from(["A", "B", "A ", ""])
ROWS = st.lists(st.tuples(SET_IDS, LABELS, KEYS, CELLS, CELLS), max_size=8)


def as_csv(cells: list[tuple[str, ...]], line_end: str) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator=line_end).writerows([HEADER.strip().split(","), *cells])
    return text.getvalue()


@given(ROWS, st.sampled_from(["\n", "\r\n", "\r"]))
def test_both_doors_agree_on_generated_rows(cells: list[tuple[str, ...]], line_end: str) -> None:
    body = as_csv(cells, line_end).encode()
    assert verdict_of_service(body) == verdict_of_emulator(body)


INSERTED = st.sampled_from(['"', "\\", ",", "\n", "\r", " ", '\\"', '""', "A", ""])
EDITS = st.lists(st.tuples(st.integers(0, 200), INSERTED), max_size=6)


@given(ROWS, EDITS)
@example([("s", "A", "001", 'a"b', ""), ("s", "A", "002", "", "")], [(50, "\\")])
def test_both_doors_agree_on_damaged_files(cells: list[tuple[str, ...]], edits: list[tuple[int, str]]) -> None:
    text = as_csv(cells, "\n")
    for place, inserted in edits:
        text = text[:place] + inserted + text[place + (not inserted) :]
    # A damaged key is in no table, which only the emulator can tell.
    if not re.search(r"row '[^']*' is not in the transform's table[.;]", _refusal(text.encode())):
        assert verdict_of_service(text.encode()) == verdict_of_emulator(text.encode())


def _refusal(body: bytes) -> str:
    try:
        read_labels(body, TABLE)
    except LabelFileRefused as error:
        return str(error)
    return ""
