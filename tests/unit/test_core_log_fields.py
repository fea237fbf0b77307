"""Log lines name the run, and never a path."""

from datetime import UTC, datetime

import pytest

from core.log_fields import log_fields
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
