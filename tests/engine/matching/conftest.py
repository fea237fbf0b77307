"""Records that most tests share."""

import pytest

from tests.engine.matching.records import Known, made_up_people


@pytest.fixture(scope="session")
def people() -> Known:
    return made_up_people(150)
