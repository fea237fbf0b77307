"""Records that most tests share."""

import pytest

from tests.findmatches.records import Known, made_up_people


@pytest.fixture(scope="session")
def people() -> Known:
    return made_up_people(100)
