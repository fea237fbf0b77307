"""JSON lines: one object per line."""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from local.glue.tables.csv_reader import Cell
from local.glue.tables.schema import check_no_match_output, duplicate_names


def read_json_lines(text: str, names: Sequence[str]) -> Iterator[list[Cell]]:
    """One row per object, its members matched to columns regardless of case. Numbers keep their digits as written.

    Raises ValueError with the line.
    """
    lower_names = [name.lower() for name in names]
    for number, line in enumerate(io.StringIO(text, newline="\n"), start=1):
        if not line.strip():
            continue
        try:
            record = json.loads(line, parse_float=str, parse_int=str, object_pairs_hook=_unique_members)
            members = _lower_case(record)
            check_no_match_output(members, names)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from error
        yield [_text(members.get(name), line) for name in lower_names]


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twin = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the member {twin} is there more than once")
    return members


def _lower_case(record: object) -> Mapping[str, tuple[str, Any]]:
    """Each member's own name and value, by its name in lower case."""
    if not isinstance(record, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 - the file is at fault, not a type
    members: dict[str, tuple[str, Any]] = {}
    for key, value in record.items():
        other = members.setdefault(key.lower(), (key, value))[0]
        if other != key:
            raise ValueError(duplicate_names(other, key))
    return members


def _text(member: tuple[str, Any] | None, line: str) -> Cell:
    key, value = member or ("", None)
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    # Parsed again, so that numbers inside a nested value stay numbers.
    return json.dumps(json.loads(line)[key], ensure_ascii=False)
