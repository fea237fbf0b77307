"""The simulator itself: a seed always plays the same schedule, and broken worlds are found."""

import pytest

from tests.simulation.broken_services import BROKEN
from tests.simulation.moves import LEGAL, is_legal
from tests.simulation.playing import play

FIRST_OF_SAMPLE, SAMPLE = 10_000, 300
MAX_SCHEDULES_TO_FIND = 200


@pytest.mark.parametrize("seed", range(10))
def test_seed_always_plays_the_same_schedule(seed: int) -> None:
    assert play(seed, traces=True) == play(seed, traces=True)


@pytest.mark.parametrize("seed", range(10))
def test_recorded_choices_play_the_same_schedule(seed: int) -> None:
    first = play(seed, traces=True)
    assert play(first.choices, traces=True) == first


def test_sample_of_schedules_breaks_no_promise() -> None:
    results = {seed: play(seed) for seed in range(FIRST_OF_SAMPLE, FIRST_OF_SAMPLE + SAMPLE)}
    assert {seed: result.violation for seed, result in results.items() if result.violation} == {}
    seen = {move for result in results.values() for move in result.moves}
    assert all(is_legal(*move) for move in seen)
    assert len(seen) > sum(map(len, LEGAL.values())) // 2


def test_schedule_without_choices_breaks_no_promise() -> None:
    assert play([]).violation is None


@pytest.mark.parametrize("name", BROKEN)
def test_world_that_is_broken_on_purpose_is_found(name: str) -> None:
    assert any(play(seed, change=BROKEN[name]).violation for seed in range(MAX_SCHEDULES_TO_FIND))
