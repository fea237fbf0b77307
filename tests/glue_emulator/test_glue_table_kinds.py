"""Tables as people have them: partitions, broken quotes, odd separators, exact numbers, lake tables, stray files."""

import bz2
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto import mock_aws

from findmatches import Table
from local.glue.aws import Aws, BotoCatalog, BotoObjects, MemoryCatalog, TableRef, Unavailable
from local.glue.tables.table_reader import read_table
from tests.glue_emulator.emulator import make_client
from tests.glue_emulator.people import OPEN_CSV, table_input

LAZY = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
JSON = "org.openx.data.jsonserde.JsonSerDe"
PARQUET = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
BOOK_COLUMNS = ("isbn", "title", "year")
REF = TableRef("library", "books")


def books(location: str = "s3://library/books/", serde: str = OPEN_CSV, **table: Any) -> dict[str, Any]:  # noqa: ANN401 - catalog members
    """The catalog entry of a table with a header line; `table` overrides members of the entry."""
    entry = table_input(
        "books",
        location,
        Columns=[{"Name": name, "Type": "string"} for name in BOOK_COLUMNS],
        SerdeInfo={"SerializationLibrary": serde, "Parameters": table.pop("serde_parameters", {})},
    )
    return {**entry, **table}


def parquet(**columns: Any) -> bytes:  # noqa: ANN401 - lists or arrow arrays
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


@dataclass
class Library:
    """A bucket and the catalog entry of a table in it."""

    s3: Any

    def read(
        self,
        objects: Mapping[str, bytes],
        entry: Mapping[str, Any] | None = None,
        partitions: Sequence[Mapping[str, Any]] = (),
        key: str = "isbn",
    ) -> Table:
        for name, body in objects.items():
            self.s3.put_object(Bucket="library", Key=name, Body=body)
        where = (REF.database, REF.table)
        catalog = MemoryCatalog({where: entry or books()}, {where: partitions})
        return read_table(Aws(catalog, BotoObjects(self.s3)), REF, key)

    def error(self, *args: Any, **options: Any) -> str:  # noqa: ANN401 - the arguments of `read`
        with pytest.raises(Unavailable) as raised:
            self.read(*args, **options)
        return str(raised.value)


@pytest.fixture
def library() -> Iterator[Library]:
    with mock_aws():
        s3 = make_client("s3")
        s3.create_bucket(Bucket="library")
        yield Library(s3)
        s3.close()


def rows(table: Table) -> list[tuple[str | None, ...]]:
    return list(zip(*table.columns.values(), strict=True))


# --- partitions

PARTITIONED = books(PartitionKeys=[{"Name": "lang", "Type": "string"}, {"Name": "shelf", "Type": "int"}])


def partition(*values: str, **storage: Any) -> dict[str, Any]:  # noqa: ANN401 - StorageDescriptor members
    return {"Values": list(values), "StorageDescriptor": storage}


def test_partition_keys_are_columns_and_partitions_may_be_anywhere(library: Library) -> None:
    table = library.read(
        {
            "books/lang=de/shelf=1/a.csv": b"h\n1,Faust,1808\n2,Emilia,1772\n",
            "archive/a.csv": b"h\n3,Ulysses,1922\n",
            "books/lang=fr/shelf=9/a.csv": b"h\n4,not registered,1900\n",
        },
        PARTITIONED,
        [
            partition("de", "1", Location="s3://library/books/lang=de/shelf=1/"),
            partition("en", "__HIVE_DEFAULT_PARTITION__", Location="s3://library/archive/"),
            partition("it", "7", Location="s3://library/books/lang=it/shelf=7/"),
        ],
    )
    assert table.names == (*BOOK_COLUMNS, "lang", "shelf")
    assert rows(table) == [
        ("1", "Faust", "1808", "de", "1"),
        ("2", "Emilia", "1772", "de", "1"),
        ("3", "Ulysses", "1922", "en", None),
    ]


def test_a_partition_may_have_its_own_serde_and_columns_and_no_location(library: Library) -> None:
    own = partition(
        "en",
        "2",
        Columns=[{"Name": "title", "Type": "string"}, {"Name": "isbn", "Type": "string"}],
        SerdeInfo={"SerializationLibrary": JSON},
    )
    table = library.read({"books/lang=en/shelf=2/a.json": b'{"isbn": "5", "title": "Emma"}\n'}, PARTITIONED, [own])
    assert rows(table) == [("5", "Emma", None, "en", "2")]


def test_a_partitioned_table_needs_partitions_in_the_catalog(library: Library) -> None:
    message = library.error({"books/lang=de/shelf=1/a.csv": b"h\n1,Faust,1808\n"}, PARTITIONED)
    assert "library.books is partitioned by lang, shelf, and the catalog lists no partitions" in message
    empty = [partition("de", "1", Location="s3://library/nothing/")]
    assert "no data in the 1 partitions" in library.error({}, PARTITIONED, empty)
    assert "has 1 values for 2 keys" in library.error({}, PARTITIONED, [partition("de", Location="s3://library/books/")])


def test_all_pages_of_partitions_of_the_data_catalog_are_read() -> None:
    with mock_aws():
        s3, glue = make_client("s3"), make_client("glue")
        s3.create_bucket(Bucket="library")
        glue.create_database(DatabaseInput={"Name": "library"})
        entry = books(PartitionKeys=[{"Name": "lang", "Type": "string"}])
        glue.create_table(DatabaseName="library", TableInput=entry)
        for number in range(120):
            location = f"s3://library/part-{number}/"
            s3.put_object(Bucket="library", Key=f"part-{number}/a.csv", Body=f"h\n{number},t,y\n".encode())
            storage = {**entry["StorageDescriptor"], "Location": location}
            glue.create_partition(
                DatabaseName="library",
                TableName="books",
                PartitionInput={"Values": [str(number)], "StorageDescriptor": storage},
            )
        table = read_table(Aws(BotoCatalog(glue), BotoObjects(s3)), REF, "isbn")
        assert sorted(zip(table.keys, table.columns["lang"], strict=True)) == sorted((str(n), str(n)) for n in range(120))
        s3.close()
        glue.close()


# --- quotes


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (b'h\n1,"Faust,1808\n2,Emilia,1772\n', 2),
        (b'h\n1,"Part one\nPart two",1808\n2,Emilia,"1772\n3,Ulysses,1922\n', 4),
        (b'h\n1,"Part one\nPart two","1808\n2,Emilia,1772\n', 3),
        (b'h\n1,Faust,1808\n2,"Emilia,1772\n3,Ulysses,1922\n4,"Emma",1815\n', 3),
    ],
    ids=["at the end", "in a later row", "in the second line of a row", "before a row whose quotes close it"],
)
@pytest.mark.parametrize("serde", [OPEN_CSV, LAZY])
def test_an_unclosed_quote_is_refused_with_the_line_where_it_opens(
    library: Library, body: bytes, line: int, serde: str
) -> None:
    entry = books(serde=serde, serde_parameters={"field.delim": ","})
    message = library.error({"books/a.csv": body}, entry)
    assert f"s3://library/books/a.csv cannot be read as csv: line {line}: the quote that opens here is " in message


def test_quotes_inside_a_cell_of_one_line_belong_to_the_cell(library: Library) -> None:
    body = b'h\n1,"The "best" of 5"" films",1808\n2,5" disks,1772\n3,"two\nlines",1922\n'
    assert rows(library.read({"books/a.csv": body})) == [
        ("1", 'The best" of 5"" films"', "1808"),
        ("2", '5" disks', "1772"),
        ("3", "two\nlines", "1922"),
    ]


# --- separators


@pytest.mark.parametrize(
    ("serde", "parameters", "separator"),
    [
        (LAZY, {"serialization.format": ","}, ","),
        (LAZY, {"serialization.format": "|", "field.delim": ";"}, ";"),
        (LAZY, {"field.delim": "9"}, "\t"),
        (LAZY, {"serialization.format": "44"}, ","),
        (LAZY, {"serialization.format": "1"}, "\x01"),
        (LAZY, {}, "\x01"),
        (OPEN_CSV, {"separatorChar": "\t"}, "\t"),
        (OPEN_CSV, {"separatorChar": ""}, ","),
    ],
)
def test_separators_are_read_as_declared(library: Library, serde: str, parameters: dict[str, str], separator: str) -> None:
    body = f"h\n1{separator}Faust{separator}1808\n".encode()
    assert rows(library.read({"books/a": body}, books(serde=serde, serde_parameters=parameters))) == [("1", "Faust", "1808")]


def test_the_default_serialization_format_says_nothing_about_a_csv_table(library: Library) -> None:
    entry = books(serde=LAZY, serde_parameters={"serialization.format": "1"})
    entry["Parameters"] = {**entry["Parameters"], "classification": "csv"}
    assert rows(library.read({"books/a": b"h\n1,Faust,1808\n"}, entry)) == [("1", "Faust", "1808")]


@pytest.mark.parametrize(
    ("serde", "parameters", "message"),
    [
        (OPEN_CSV, {"separatorChar": r"\t"}, r"separatorChar is '\\t'; it must be one character. For a tab, set the tab"),
        (OPEN_CSV, {"quoteChar": "''"}, "quoteChar is \"''\"; it must be one character."),
        (LAZY, {"field.delim": "||"}, "field.delim is '||'; it must be one character."),
        (LAZY, {"field.delim": "\n"}, "field.delim is a line break."),
        (LAZY, {"field.delim": ",", "line.delim": ";"}, "line.delim is ';'; only line breaks separate rows."),
    ],
)
def test_a_property_that_cannot_be_followed_is_named(
    library: Library, serde: str, parameters: dict[str, str], message: str
) -> None:
    said = library.error({"books/a": b"h\n1,Faust,1808\n"}, books(serde=serde, serde_parameters=parameters))
    assert said == f"Table library.books is not read. The property {message}" + said[said.index(message) + len(message) :]


# --- numbers and types


def test_numeric_parquet_keys_are_exact_text(library: Library) -> None:
    body = parquet(
        isbn=pa.array([9_007_199_254_740_990.0, 9_007_199_254_740_992.0, 12_345_678_901_234_568.0, 20.0, 0.25], pa.float64()),
        title=pa.array([0.1, 2.5, None, float("nan"), 1e-7], pa.float32()),
        year=pa.array([99_999_999_999_999_999, 1, 2, 3, None], pa.int64()),
    )
    assert rows(library.read({"books/a.parquet": body}, books(serde=PARQUET))) == [
        ("9007199254740990", "0.1", "99999999999999999"),
        ("9007199254740992", "2.5", "1"),
        ("12345678901234568", None, "2"),
        ("20", None, "3"),
        ("0.25", "0.0000001", None),
    ]


def test_float_keys_that_lost_their_last_digits_are_refused_with_the_reason(library: Library) -> None:
    entry = books(serde=PARQUET)
    entry["StorageDescriptor"]["Columns"][0]["Type"] = "double"
    body = parquet(isbn=pa.array([9_788_412_140_633_507.0 * 10] * 2), title=["a", "b"], year=["1", "2"])
    message = library.error({"books/a.parquet": body}, entry)
    assert "isbn is not unique: '97884121406335072' stands in 2 rows." in message
    assert "Its type double cannot hold numbers of this size exactly; store keys as text." in message


def test_no_value_becomes_python_text(library: Library) -> None:
    body = parquet(isbn=[b"1", b"2"], title=[["a", "b"], None], year=[{"from": 1900}, None])
    table = library.read({"books/a.parquet": body}, books(serde=PARQUET))
    assert rows(table) == [("1", '["a", "b"]', '{"from": 1900}'), ("2", None, None)]
    binary = parquet(isbn=[b"\xff"], title=["a"], year=["b"])
    assert "column isbn has bytes that are not UTF-8" in library.error({"books/a.parquet": binary}, books(serde=PARQUET))


# --- names


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (("isbn", "title", "title"), "Two columns have the name title; rename one of them."),
        (("isbn", "Title", "title"), "The columns Title and title differ only in case; rename one of them."),
    ],
)
def test_equal_column_names_are_refused_by_name(library: Library, columns: tuple[str, ...], message: str) -> None:
    entry = books()
    entry["StorageDescriptor"]["Columns"] = [{"Name": name, "Type": "string"} for name in columns]
    assert message in library.error({"books/a.csv": b"h\n1,a,b\n"}, entry)


def test_equal_names_inside_files_are_refused_by_name(library: Library) -> None:
    repeated = b'{"isbn": "1", "title": "a", "title": "b"}\n'
    assert "line 1: the member title is there more than once" in library.error({"books/a": repeated}, books(serde=JSON))
    json_body = b'{"isbn": "1", "Title": "a", "title": "b"}\n'
    message = library.error({"books/a": json_body}, books(serde=JSON))
    assert "line 1: The columns Title and title differ only in case" in message
    parquet_body = parquet(isbn=["1"], Title=["a"], title=["b"], year=["c"])
    message = library.error({"books/a": parquet_body}, books(serde=PARQUET))
    assert "The columns Title and title differ only in case" in message


# --- files that are not data of the table


def test_hidden_files_and_folders_are_not_data(library: Library) -> None:
    table = library.read(
        {
            "_stage/books/a.csv": b"h\n1,Faust,1808\n",
            "_stage/books/_temporary/0/b.csv": b"h\n2,half written,1\n",
            "_stage/books/.spark-staging/c.csv": b"h\n3,half written,1\n",
            "_stage/books/_day=1/d.csv": b"h\n4,Emma,1815\n",
            "_stage/books/_SUCCESS": b"x",
        },
        books("s3://library/_stage/books/"),
    )
    assert list(table.keys) == ["4", "1"]


@pytest.mark.parametrize(
    ("entry", "objects", "name"),
    [
        ({"Parameters": {"table_type": "ICEBERG", "metadata_location": "s3://library/m.json"}}, {}, "Apache Iceberg"),
        ({"Parameters": {"spark.sql.sources.provider": "delta"}}, {}, "Delta Lake"),
        ({"Parameters": {"classification": "hudi"}}, {}, "Apache Hudi"),
        ({}, {"books/_delta_log/00.json": b"{}"}, "Delta Lake (it has s3://library/books/_delta_log/)"),
        ({}, {"books/.hoodie/hoodie.properties": b"x"}, "Apache Hudi (it has s3://library/books/.hoodie/)"),
        (
            {},
            {"books/metadata/v1.metadata.json": b"{}"},
            "Apache Iceberg (it has s3://library/books/metadata/v1.metadata.json)",
        ),
    ],
)
def test_lake_tables_are_refused_by_their_format(
    library: Library, entry: dict[str, Any], objects: dict[str, bytes], name: str
) -> None:
    message = library.error({"books/a.csv": b"h\n1,a,b\n", **objects}, books(**entry))
    assert f"Table library.books is not read. The table is a table of {name};" in message


def test_a_hudi_input_format_and_a_view_are_refused(library: Library) -> None:
    entry = books()
    entry["StorageDescriptor"]["InputFormat"] = "org.apache.hudi.hadoop.HoodieParquetInputFormat"
    assert "Apache Hudi" in library.error({}, entry)
    assert "is a view" in library.error({}, books(TableType="VIRTUAL_VIEW"))


@pytest.mark.parametrize("serde", [OPEN_CSV, JSON, PARQUET])
def test_a_label_file_in_the_table_s_folder_is_named_as_such(library: Library, serde: str) -> None:
    labels = b"labeling_set_id,label,isbn,title,year\ns1,A,1,Faust,1808\n"
    message = library.error({"books/answers.csv": labels}, books(serde=serde))
    assert message.startswith("s3://library/books/answers.csv cannot be read as ")
    assert message.endswith("it is a label file, not part of the table; move it out of the table's folder")


@pytest.mark.parametrize(
    ("serde", "body"),
    [
        (OPEN_CSV, b"isbn,title,year,match_id\n1,Faust,1808,m1\n"),
        (JSON, b'{"isbn": "1", "title": "Faust", "year": "1808", "match_id": "m1"}\n'),
        (PARQUET, parquet(isbn=["1"], title=["Faust"], year=["1808"], match_id=["m1"])),
    ],
    ids=["csv", "json", "parquet"],
)
def test_the_output_of_a_matching_in_the_table_s_folder_is_named_as_such(library: Library, serde: str, body: bytes) -> None:
    message = library.error({"books/out": body}, books(serde=serde))
    assert "it has a column match_id, as the output of a matching; move it out of the table's folder" in message


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("h\n1,Faust,1808\n".encode("utf-16"), "it is UTF-16 text; save it as UTF-8"),
        (b"PK\x03\x04rest", "it is a zip file or an Excel workbook"),
        (b"\x28\xb5\x2f\xfdrest", "it is compressed with zstd; gzip and bzip2 are read"),
        (b"h\n1,Faust,1808\n2,Em\xefilia,1772\n", "row 2, column title: byte 0xef is not UTF-8"),
        (b"h\n1,Faust,1808\n2,%s,1772\n" % (b"x" * 1_048_577), "row 2, column title: the cell has 1,048,577 characters"),
    ],
    ids=["utf-16", "zip", "zstd", "latin-1", "a huge cell"],
)
def test_what_is_no_text_is_named_with_row_and_column(library: Library, body: bytes, message: str) -> None:
    assert f"s3://library/books/a.csv cannot be read as csv: {message}" in library.error({"books/a.csv": body})


def test_a_lone_surrogate_in_json_is_named_with_row_and_column(library: Library) -> None:
    message = library.error({"books/a": b'{"isbn": "1", "title": "\\ud83d"}\n'}, books(serde=JSON))
    assert "row 1, column title: the lone surrogate U+D83D is not UTF-8" in message


def test_bzip2_is_read(library: Library) -> None:
    assert list(library.read({"books/a.csv.bz2": bz2.compress(b"h\n1,Faust,1808\n")}).keys) == ["1"]


def test_a_blank_key_is_refused_with_its_row(library: Library) -> None:
    assert "isbn has no value in row 2." in library.error({"books/a.csv": b"h\n1,a,b\n  ,a,b\n"})
