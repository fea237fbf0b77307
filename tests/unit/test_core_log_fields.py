"""Log lines name the run, and never a path."""

import re
from datetime import UTC, datetime

import pytest

from core.log_fields import fault_fields, log_fields
from core.requests import new_run
from tests.fakes.service import import_command

PATH = "s3://bucket/labels/tfm-1/Jane Doe's answers.csv"
RUN = new_run(import_command(path=PATH, replaces=True, export_to="s3://bucket/old labels/"), datetime(2026, 11, 22, tzinfo=UTC))


@pytest.mark.parametrize(
    ("cause", "logged"),
    [
        (f"Cannot access the label file at {PATH}. Slow down", "Cannot access the label file at s3://.... Slow down"),
        ("no such folder: s3://bucket/x/y.csv", "no such folder: s3://..."),
        ("path 's3a://b/x' is busy", "path 's3://...' is busy"),
        (f"{RUN.export_to}part-0", "s3://...part-0"),
        ("ThrottlingException: Rate exceeded", "ThrottlingException: Rate exceeded"),
        (None, None),
    ],
)
def test_cause_has_no_path(cause: str | None, logged: str | None) -> None:
    assert log_fields(RUN, cause=cause)["cause"] == logged


def test_defect_is_logged_by_its_types_and_places_without_its_message() -> None:
    def look_up() -> str:
        files: dict[str, str] = {}
        return files["s3://bucket/secret/path.csv"]

    def fail() -> None:
        try:
            look_up()
        except KeyError as error:
            raise ValueError("a cell: Ann Lee") from error

    with pytest.raises(ValueError, match="a cell") as raised:
        fail()
    fields = fault_fields(raised.value)
    assert fields["cause"] == "ValueError from KeyError"
    places = [frame.split()[-1] for frame in fields["frames"]]
    assert (places[1], places[-1]) == ("look_up", "fail")
    assert not re.search(r"secret|Ann", repr(fields))
