"""Two hundred processes ask for runs of one transform at once; reconcilers come two at a time."""

import pytest

from tests.chaos.cloud import Ground
from tests.chaos.crowd import Crowd, paths, statuses
from tests.chaos.handler_runs import run_at_once

MOST_AT_ONCE = 50  # processes; the four waves follow each other without a pause


@pytest.fixture
def crowd(ground: Ground, processes: None, request: pytest.FixtureRequest) -> Crowd:
    del processes
    crowd = Crowd(ground, ground.transform(request.node.name[:200]))
    ground.hold(crowd.transform)
    return crowd


def test_two_hundred_at_once_wait_in_line_and_are_all_done_three_at_a_time(crowd: Crowd) -> None:
    answers: list[int] = []
    for _ in range(4):
        answers += statuses(run_at_once([crowd.labeling_set() for _ in range(MOST_AT_ONCE)]))
    # Three run, a hundred wait (the default bound), all others are asked to come again; none got an error.
    assert sorted(set(answers)) in ([202, 429], [202, 429, 503])
    accepted = [item for item in crowd.items() if item["status"] != "REFUSED"]
    assert len(accepted) == answers.count(202) == 103
    first = set(paths(crowd.glue_runs()))
    waited = [item["path"] for item in accepted if item["path"] not in first]
    while any(item["status"] != "SUCCEEDED" for item in crowd.items()):
        crowd.reconcile()
        assert crowd.running() <= 3
        crowd.let_glue_finish()
    started = paths(crowd.glue_runs())
    assert len(started) == len(set(started)) == 103
    assert started[3:] == waited, "oldest first"


def test_imports_reach_glue_one_at_a_time_in_the_order_of_acceptance(crowd: Crowd) -> None:
    assert set(statuses(run_at_once([crowd.imported() for _ in range(20)]))) == {202}
    accepted = [item["path"] for item in crowd.items()]
    first = paths(crowd.glue_runs())
    assert len(first) == 1
    for _ in range(45):
        crowd.reconcile()
        assert crowd.running() <= 1
        crowd.let_glue_finish()
    assert {item["status"] for item in crowd.items()} == {"SUCCEEDED"}
    assert paths(crowd.glue_runs()) == [*first, *(path for path in accepted if path not in first)]


def test_past_its_start_deadline_a_waiting_request_ends(crowd: Crowd) -> None:
    assert set(statuses(run_at_once([crowd.labeling_set() for _ in range(5)]))) == {202}
    crowd.reconcile(at=1100)
    assert sorted(item["status"] for item in crowd.items()) == ["RUNNING"] * 3 + ["START_FAILED"] * 2
