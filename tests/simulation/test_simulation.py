"""The simulator itself: a seed always plays the same schedule, and recorded choices play it again."""

import pytest

from tests.simulation.choices import Choices
from tests.simulation.schedule import Result, Schedule


@pytest.mark.parametrize("seed", range(20))
def test_seed_always_plays_the_same_schedule(seed: int) -> None:
    assert _play(Choices(seed)) == _play(Choices(seed))


@pytest.mark.parametrize("seed", range(20))
def test_recorded_choices_play_the_same_schedule(seed: int) -> None:
    first = _play(Choices(seed))
    assert _play(Choices(first.choices)) == first


def test_schedule_without_choices_breaks_no_promise() -> None:
    assert _play(Choices([])).violation is None


def _play(choices: Choices) -> Result:
    return Schedule(choices, traces=True).run()
