"""The table that most tests share."""

import pytest

from tests.findmatches.synthetic_people import LabeledTable, synthetic_people


@pytest.fixture(scope="session")
def people() -> LabeledTable:
    return synthetic_people(100)
