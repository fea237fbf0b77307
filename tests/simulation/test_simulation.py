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


@pytest.mark.parametrize(
    "seed",
    [
        pytest.param(99, id="imports in the order of the hosts' clocks"),
        pytest.param(1562, id="queue blocked by an export that another clock had put behind"),
        pytest.param(8, id="unconfirmed past the deadline while look-ups fail"),
    ],
)
def test_seed_that_found_a_fault_breaks_no_promise_any_more(seed: int) -> None:
    assert _play(Choices(seed)).violation is None


def test_sample_of_schedules_breaks_no_promise() -> None:
    violations = {seed: _play(Choices(seed)).violation for seed in range(10_000, 10_500)}
    assert {seed: violation for seed, violation in violations.items() if violation} == {}


def test_schedule_without_choices_breaks_no_promise() -> None:
    assert _play(Choices([])).violation is None


def _play(choices: Choices) -> Result:
    return Schedule(choices, traces=True).run()
