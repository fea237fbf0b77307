"""The test table: 40 people, each in two rows, with the label files and catalog entries that go with it."""

import csv
import io
from collections.abc import Sequence
from typing import Any

COLUMNS = ("id", "name", "street", "city")
OPEN_CSV = "org.apache.hadoop.hive.serde2.OpenCSVSerde"

FIRST_NAMES = (
    *("Ada", "Berta", "Carla", "Dora", "Emma", "Frida", "Gerda", "Hanna", "Ida", "Jana"),
    *("Klara", "Lena", "Mona", "Nora", "Olga", "Paula", "Rosa", "Sara", "Tina", "Vera"),
)
LAST_NAMES = (
    *("Abel", "Bauer", "Conrad", "Dietz", "Engel", "Falk", "Graf", "Hahn", "Igel", "Jung"),
    *("Kern", "Lang", "Maurer", "Nagel", "Otto", "Pohl", "Roth", "Sommer", "Thal", "Vogt"),
)
STREETS = ["Ahornweg", "Bachgasse", "Clarastrasse", "Dorfplatz", "Eichenallee", "Feldweg", "Gartenstrasse", "Hauptstrasse"]
CITIES = ["Aachen", "Bonn", "Celle", "Dresden", "Erfurt"]


def people() -> tuple[list[tuple[str, ...]], dict[str, str]]:
    """40 people in two rows each, the second with typing errors; and the person's number by primary key."""
    rows: list[tuple[str, ...]] = []
    person_of: dict[str, str] = {}
    for number in range(40):
        first, last = FIRST_NAMES[number % 20], LAST_NAMES[(number * 7) % 20]
        street, city = f"{STREETS[number % 8]} {number + 3}", CITIES[number % 5]
        rows += [
            (f"p{number:02}a", f"{first} {last}", street, city),
            (f"p{number:02}b", f"{first[:-1]} {last.upper()}", street.replace("strasse", "str."), city.lower()),
        ]
        person_of |= {f"p{number:02}a": str(number), f"p{number:02}b": str(number)}
    return rows, person_of


ROWS, PERSON_OF = people()


def csv_text(rows: Sequence[Sequence[str]], header: Sequence[str] | None = None) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([header, *rows] if header else rows)
    return text.getvalue().encode()


def table_input(name: str, location: str, **storage: Any) -> dict[str, Any]:  # noqa: ANN401 - Glue's TableInput members
    """The catalog entry of an OpenCSV table with a header; `storage` overrides members of its StorageDescriptor."""
    columns = storage.pop("Columns", [{"Name": column, "Type": "string"} for column in COLUMNS])
    parameters = storage.pop("TableParameters", {"skip.header.line.count": "1"})
    return {
        "Name": name,
        "Parameters": parameters,
        "StorageDescriptor": {
            "Columns": columns,
            "Location": location,
            "SerdeInfo": {"SerializationLibrary": OPEN_CSV},
            **storage,
        },
    }


def label_file(rows: Sequence[tuple[str, str, str]], header: Sequence[str] | None = None) -> bytes:
    """A label file of (set, label, primary key); the other cells come from the table."""
    cells = {row[0]: row for row in ROWS}
    complete = [(set_id, label, *cells.get(key, (key, "no one", "nowhere", "never"))) for set_id, label, key in rows]
    return csv_text(complete, header or ("labeling_set_id", "label", *COLUMNS))


TWO_SETS = label_file([("s1", "A", "p00a"), ("s1", "A", "p00b"), ("s1", "B", "p01a"), ("s2", "A", "p02a"), ("s2", "B", "p03a")])
LABELS_OF_HALF = label_file([(f"h{number // 10}", PERSON_OF[row[0]], row[0]) for number, row in enumerate(ROWS[:40])])
