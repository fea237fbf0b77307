"""Files as people have them: read whatever their format, written back in the same one, or refused with line and remedy."""

import datetime as dt
from decimal import Decimal
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet
import pytest

from local.workbench.read_source import read_source
from local.workbench.source import Overrides, UnusableFile, check_keys

COLUMNS = ("id", "name", "city")
ROWS = [("007", "José Müller", "Köln, Altstadt"), ("008", 'Anna "Ann" Berg', "Łódź"), ("12345678901234567", "Müller", "")]
LATIN_ROWS = [("007", "José Müller", "Köln; Altstadt"), ("008", "Zoë Groß", "Málaga"), ("9", "Bäcker Straßner", "Île de Ré")]


def _separated(separator: str, line_end: str = "\n", end_of_line: str = "") -> str:
    city = '"Köln, Altstadt"' if separator == "," else "Köln, Altstadt"
    records = [
        COLUMNS,
        ("007", "José Müller", city),
        ("008", '"Anna ""Ann"" Berg"', "Łódź"),
        ("12345678901234567", "Müller", ""),
    ]
    return "".join(f"{separator.join(record)}{end_of_line}{line_end}" for record in records)


JSON_LINES = """{"id": "007", "name": "José Müller", "city": "Köln, Altstadt"}
{"id": "008", "name": "Anna \\"Ann\\" Berg", "city": "Łódź"}

{"id": 12345678901234567, "name": "Müller", "city": null}
"""
TEXTS = {
    "comma.csv": _separated(",").encode(),
    "semicolon.csv": _separated(";", "\r\n").encode(),
    "byte-order-mark.csv": f"\ufeff{_separated(';')}".encode(),
    "tabs.tsv": _separated("\t").encode(),
    "bars.txt": _separated("|").encode(),
    "sep-line.csv": f"sep=;\r\n{_separated(';', chr(13) + chr(10))}".encode(),
    "utf-16.csv": _separated("\t").encode("utf-16"),
    "old-mac.csv": _separated(",", "\r").encode(),
    "separator-at-the-end.csv": _separated(";", end_of_line=";").encode(),
    "blank-lines.csv": f"{_separated(',', chr(10) * 2)},,\n".encode(),
    "lines.jsonl": JSON_LINES.encode(),
}


def _write(tmp_path: Path, name: str, content: bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("name", TEXTS)
def test_text_file_is_read_and_written_back(name: str, tmp_path: Path) -> None:
    source = read_source(_write(tmp_path, name, TEXTS[name]))
    assert source.columns == COLUMNS
    assert list(source.rows) == ROWS
    copy = tmp_path / f"copy-{name}"
    source.write(copy, ["group", *source.columns], [("1", *row) for row in source.rows])
    again = read_source(copy)
    assert again.columns == ("group", *COLUMNS)
    assert [row[1:] for row in again.rows] == ROWS
    assert again.description == source.description


def test_western_windows_file_is_read_and_written_back_in_its_encoding(tmp_path: Path) -> None:
    lines = ["id;name;city", '007;José Müller;"Köln; Altstadt"', "008;Zoë Groß;Málaga", "9;Bäcker Straßner;Île de Ré", ""]
    source = read_source(_write(tmp_path, "windows.csv", "\r\n".join(lines).encode("cp1252")))
    assert list(source.rows) == LATIN_ROWS
    copy = tmp_path / "copy.csv"
    source.write(copy, source.columns, source.rows)
    assert copy.read_bytes().decode("cp1252").split("\r\n") == lines


def test_excel_workbook_keeps_keys_and_dates_as_they_are_shown(tmp_path: Path) -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = "People"
    born = dt.datetime(1980, 5, 1)  # noqa: DTZ001 - Excel knows no time zone
    for row in [("id", "name", "born", "weight"), ("007", "José", born, 72.5), (8, "Zoë", None, 60.0)]:
        sheet.append(row)
    workbook.create_sheet("Notes")
    path = tmp_path / "people.xlsx"
    workbook.save(path)
    source = read_source(path)
    assert list(source.rows) == [("007", "José", "1980-05-01", "72.5"), ("8", "Zoë", "", "60")]
    assert source.notes == ("of 2 sheets, 'People' is read; SHEET names another",)
    source.write(tmp_path / "copy.xlsx", source.columns, source.rows)
    assert list(read_source(tmp_path / "copy.xlsx").rows) == list(source.rows)


def test_parquet_file_keeps_numbers_exact(tmp_path: Path) -> None:
    table = pa.table({"id": [12345678901234567, 2], "price": [Decimal("1.50"), None], "tags": [["a"], []]})
    pyarrow.parquet.write_table(table, tmp_path / "table.parquet")
    source = read_source(tmp_path / "table.parquet")
    assert list(source.rows) == [("12345678901234567", "1.50", '["a"]'), ("2", "", "[]")]
    source.write(tmp_path / "copy.parquet", source.columns, source.rows)
    assert list(read_source(tmp_path / "copy.parquet").rows) == list(source.rows)


def test_what_the_user_says_wins(tmp_path: Path) -> None:
    content = "id|name\n1|Привет, мир\n2|Пока\n".encode("cp866")
    source = read_source(_write(tmp_path, "old.csv", content), Overrides(encoding="cp866", separator="|"))
    assert source.rows[0] == ("1", "Привет, мир")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        (b"id,name\n", "no rows below its header"),
        (b"id,name\n1,Anna\n", "one row. Matching needs two"),
        (b"1,2\n3,4\n", "has no header: line 1 holds numbers"),
        (b"id,Name,name\n1,a,b\n2,c,d\n", "columns of the same name: 'Name' and 'name'"),
        (b"id,name\n1,Anna\n2,Bob,Smith\n3,Eve\n", "more cells than column names in line 3. Quote the cells"),
        (b'id,name\n1,Anna\n2,"Bob\n3,Eve\n', "cannot be read from line 3 on: a quote opens there"),
        (b"id,name\n1,An\0na\n", "line 2 has a NUL byte"),
        (b"\xd0\xcf\x11\xe0rest", "Save it as .xlsx without a password"),
        (b"PK\x03\x04broken", "no Excel workbook of the form xlsx"),
        (b"PAR1broken", "no Parquet file"),
        (b'{"id": 1}\n{"id": \n', "line 2: not JSON"),
        (b'{"id": 1}\n[1]\n', "line 2: not a JSON object"),
    ],
)
def test_unusable_file_is_refused_with_place_and_remedy(content: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(UnusableFile) as caught:
        read_source(_write(tmp_path, "table.csv", content))
    assert message in str(caught.value)


def test_missing_file_and_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(UnusableFile, match="There is no file"):
        read_source(tmp_path / "nowhere.csv")
    with pytest.raises(UnusableFile, match="is a folder"):
        read_source(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("id,name\n1,a\n2,b\n1,c\n", "The key '1' in column 'id' stands in lines 2, 4."),
        ("id,name\n1,a\n,b\n2,c\n", "The key column 'id' is empty in line 3."),
        ("key,name\n1,a\n2,b\n", "has no column 'id'. It has: key, name."),
    ],
)
def test_key_that_identifies_no_row_is_named_with_its_lines(content: str, message: str, tmp_path: Path) -> None:
    source = read_source(_write(tmp_path, "table.csv", content.encode()))
    with pytest.raises(UnusableFile) as caught:
        check_keys(source, "id")
    assert message in str(caught.value)
