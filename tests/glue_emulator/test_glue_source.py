"""Input tables: every format that the catalog describes gives the same rows."""

import gzip
import io
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from moto import mock_aws

from local.glue.aws import Aws, BotoCatalog, BotoObjects, MemoryCatalog, TableRef, Unavailable
from local.glue.tables.table_reader import read_table
from tests.glue_emulator.emulator import make_client
from tests.glue_emulator.people import OPEN_CSV, table_input

LAZY = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe"
JSON = "org.openx.data.jsonserde.JsonSerDe"
HCATALOG_JSON = "org.apache.hive.hcatalog.data.JsonSerDe"
PARQUET = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
NAMES = ("id", "name", "street", "city")
EXPECTED = {
    "id": ["001", "002", "003"],
    "name": ["Jörg", 'Ada "the first", Countess', "Li\nNing"],
    "street": ["1, Main St", None, "x"],
    "city": ["Bonn", "東京", None],
}
ROWS = list(zip(*EXPECTED.values(), strict=True))
QUOTED = 'id,name,street,city\n001,Jörg,"1, Main St",Bonn\n002,"Ada ""the first"", Countess",,東京\n003,"Li\nNing",x,\n'
SKIP = {"skip.header.line.count": "1"}


def json_lines(rows: Sequence[Sequence[str | None]], names: Sequence[str] = NAMES) -> bytes:
    return "".join(
        json.dumps({n: v for n, v in zip(names, row, strict=True) if v is not None}, ensure_ascii=False) + "\n" for row in rows
    ).encode()


def parquet(**columns: Any) -> bytes:  # noqa: ANN401 - lists or arrow arrays
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return sink.getvalue()


def stored(serde: str, parameters: dict[str, str] | None = None, **table: str) -> dict[str, Any]:
    return table_input(
        "t",
        "s3://bucket/t/",
        SerdeInfo={"SerializationLibrary": serde, "Parameters": parameters or {}},
        TableParameters={name.replace("_", "."): value for name, value in table.items()} if table else SKIP,
    )


CASES: dict[str, tuple[dict[str, Any], dict[str, bytes]]] = {
    "OpenCSV with a header": (stored(OPEN_CSV), {"t/a.csv": QUOTED.encode()}),
    "OpenCSV without a header": (
        stored(OPEN_CSV, classification="csv"),
        {"t/a.csv": QUOTED.split("\n", 1)[1].encode()},
    ),
    "OpenCSV with Windows line ends and a byte order mark": (
        stored(OPEN_CSV),
        {"t/a.csv": b"\xef\xbb\xbf" + QUOTED.replace("\n", "\r\n").replace("Li\r\n", "Li\n").encode()},
    ),
    "OpenCSV with its own separator, quote and escape": (
        stored(OPEN_CSV, {"separatorChar": ";", "quoteChar": "'", "escapeChar": "\\"}),
        {"t/a.csv": "h\n001;Jörg;1, Main St;Bonn\n002;'Ada \"the first\", Countess';;東京\n003;'Li\nNing';x;\n".encode()},
    ),
    "OpenCSV with quotes escaped": (
        stored(OPEN_CSV),
        {"t/a.csv": QUOTED.replace('""the first""', r"\"the first\"").encode()},
    ),
    "LazySimple with tabs": (
        stored(LAZY, {"field.delim": "\t"}),
        {
            "t/a.tsv": 'h\n001\tJörg\t1, Main St\tBonn\n002\t"Ada ""the first"", Countess"\t\\N\t東京\n'.encode()
            + b'003\t"Li\nNing"\tx\n'
        },
    ),
    "LazySimple with Hive's own separator, no header": (
        stored(LAZY, other="x"),
        {
            "t/a": "001\x01Jörg\x011, Main St\x01Bonn\n"
            '002\x01"Ada ""the first"", Countess"\x01\\N\x01東京\n003\x01"Li\nNing"\x01x\n'.encode()
        },
    ),
    "LazySimple as a crawler writes it": (
        stored(LAZY, {"field.delim": ","}, classification="csv", skip_header_line_count="1"),
        {"t/a.csv": QUOTED.encode()},
    ),
    "JSON lines": (stored(JSON), {"t/a.json": json_lines(ROWS)}),
    "JSON lines, members in any order and case": (
        stored(HCATALOG_JSON),
        {"t/a.json": json_lines([row[::-1] for row in ROWS], ("CITY", "Street", "name", "ID"))},
    ),
    "JSON by classification alone": (stored("", classification="json"), {"t/a.json": json_lines(ROWS)}),
    "CSV by classification alone": (
        stored("", classification="csv", skip_header_line_count="1"),
        {"t/a.csv": QUOTED.encode()},
    ),
    "Parquet": (stored(PARQUET), {"t/a.parquet": parquet(**EXPECTED)}),
    "Parquet, columns in another order and more of them": (
        stored(PARQUET),
        {"t/a.parquet": parquet(other=[1, 2, 3], **{name.upper(): EXPECTED[name] for name in reversed(NAMES)})},
    ),
    "several objects, in the order of their keys, hidden objects left out": (
        stored(JSON),
        {
            "t/part-2.json": json_lines(ROWS[2:]),
            "t/part-1.json": json_lines(ROWS[:2]),
            "t/_SUCCESS": b"done",
            "t/.hidden": b"not a row",
            "t/": b"",
            "t2/part-3.json": b"another table's",
        },
    ),
    "gzip": (stored(OPEN_CSV), {"t/a.csv.gz": gzip.compress(QUOTED.encode())}),
    "gzip, each part with a header": (
        stored(OPEN_CSV),
        {
            "t/a.gz": gzip.compress("\n".join(QUOTED.split("\n")[:2]).encode()),
            "t/b.gz": gzip.compress(("h\n" + "\n".join(QUOTED.split("\n")[2:])).encode()),
        },
    ),
    "a single object": (
        {**stored(OPEN_CSV), "StorageDescriptor": {**stored(OPEN_CSV)["StorageDescriptor"], "Location": "s3://bucket/t/a.csv"}},
        {"t/a.csv": QUOTED.encode(), "t/a.csv.bak": b"not a row"},
    ),
}

Read = Callable[[dict[str, Any], dict[str, bytes]], dict[str, list[str | None]]]


@pytest.fixture
def read() -> Iterator[Read]:
    with mock_aws():
        s3 = make_client("s3")
        s3.create_bucket(Bucket="bucket")

        def put_and_read(table: dict[str, Any], objects: dict[str, bytes]) -> dict[str, list[str | None]]:
            for key, body in objects.items():
                s3.put_object(Bucket="bucket", Key=key, Body=body)
            table_read = read_table(Aws(MemoryCatalog({("d", "t"): table}), BotoObjects(s3)), TableRef("d", "t"), "id")
            return {name: list(cells) for name, cells in table_read.columns.items()}

        yield put_and_read
        s3.close()


@pytest.mark.parametrize("case", CASES)
def test_every_table_format_gives_the_same_rows(read: Read, case: str) -> None:
    assert read(*CASES[case]) == EXPECTED


def test_json_numbers_keep_their_digits_and_nested_values_become_json(read: Read) -> None:
    body = b'{"id": 1.10, "name": 12345678901234567890, "street": {"a": [1, null]}, "city": true}\n'
    assert read(stored(JSON), {"t/a": body}) == {
        "id": ["1.10"],
        "name": ["12345678901234567890"],
        "street": ['{"a": [1, null]}'],
        "city": ["true"],
    }


def test_parquet_types_become_text(read: Read) -> None:
    body = parquet(
        id=pa.array([7, 8], pa.int64()),
        name=pa.array(["a", "b"]).dictionary_encode(),
        street=pa.array([18000, None], pa.date32()),
        city=pa.array([True, False]),
    )
    assert read(stored(PARQUET), {"t/a": body}) == {
        "id": ["7", "8"],
        "name": ["a", "b"],
        "street": ["2019-04-14", None],
        "city": ["true", "false"],
    }


def test_a_cell_of_300_000_characters_is_read_completely(read: Read) -> None:
    text = "x" * 300_000
    columns = read(stored(OPEN_CSV), {"t/a": f"h\n1,{text},,\n".encode()})
    assert columns["name"] == [text]


@pytest.mark.parametrize(
    ("serde", "body", "message"),
    [
        (JSON, b'{"id": 1}\n{"id": 2\n', "s3://bucket/t/a cannot be read as json: line 2: "),
        (JSON, b"[1]\n", "line 1: not a JSON object"),
        (PARQUET, b"not parquet", "s3://bucket/t/a cannot be read as parquet: "),
        (OPEN_CSV, b"\x1f\x8bnot gzip", "s3://bucket/t/a cannot be read as csv: "),
    ],
)
def test_an_unreadable_object_is_named_with_the_reason(read: Read, serde: str, body: bytes, message: str) -> None:
    with pytest.raises(Unavailable) as raised:
        read(stored(serde), {"t/a": body})
    assert message in str(raised.value)


def test_a_table_of_motos_data_catalog_is_read() -> None:
    with mock_aws():
        s3, glue = make_client("s3"), make_client("glue")
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="t/a.csv", Body=QUOTED.encode())
        glue.create_database(DatabaseInput={"Name": "d"})
        glue.create_table(DatabaseName="d", TableInput=stored(OPEN_CSV))
        aws = Aws(BotoCatalog(glue), BotoObjects(s3))
        assert list(read_table(aws, TableRef("d", "t"), "id").keys) == EXPECTED["id"]
        with pytest.raises(Unavailable, match=r"EntityNotFoundException: .*table d\.gone"):
            read_table(aws, TableRef("d", "gone"), "id")
        aws.close()
