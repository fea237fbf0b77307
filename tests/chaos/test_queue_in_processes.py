"""Two hundred processes ask for runs of one transform at once; reconcilers come two at a time."""

from dataclasses import replace

import pytest

from core.ports import Dependencies
from tests.chaos.cloud import Ground
from tests.chaos.crowd import Crowd, most_at_once, paths, statuses
from tests.chaos.handler_runs import HandlerRun, Outcome, run_at_once

AT_ONCE = 200
OF_TRANSFORM = 3  # Glue's limit
AT_LEAST_IN_FLIGHT = 150  # two cores do not begin all of them before the first has its answer


@pytest.fixture
def crowd(ground: Ground, processes: None, request: pytest.FixtureRequest) -> Crowd:
    del processes
    crowd = Crowd(ground, ground.transform(request.node.name[:200]))
    ground.hold(crowd.transform)
    return crowd


def with_room_for_all(deps: Dependencies) -> Dependencies:
    return replace(deps, policy=replace(deps.policy, max_queued=AT_ONCE))


def in_flight(outcomes: list[Outcome]) -> int:
    return most_at_once((one.began, one.ended) for one in outcomes if one.ended is not None)


def asked_until_taken(requests: list[HandlerRun]) -> list[Outcome]:
    """All at once, and those that are told to come again once more, until each is accepted."""
    outcomes: list[Outcome] = []
    while requests:
        told = run_at_once(requests, with_room_for_all)
        assert set(statuses(told)) <= {202, 503}, "accepted, or asked to send the same again"
        outcomes += told
        requests = [run for run, status in zip(requests, statuses(told), strict=True) if status != 202]
    return outcomes


def test_two_hundred_at_once_are_all_accepted_and_done_three_at_a_time_oldest_first(crowd: Crowd) -> None:
    outcomes = asked_until_taken([crowd.labeling_set() for _ in range(AT_ONCE)])
    assert in_flight(outcomes) >= AT_LEAST_IN_FLIGHT
    accepted = crowd.items()
    assert len(accepted) == AT_ONCE, "none lost, none twice"
    first = set(paths(crowd.glue_runs()))
    assert len(first) == OF_TRANSFORM
    waited = [item["path"] for item in accepted if item["path"] not in first]
    crowd.ground.release(crowd.transform)
    for _ in range(2 * AT_ONCE):
        crowd.reconcile()
        if all(item["status"] == "SUCCEEDED" for item in crowd.items()):
            break
    runs = crowd.glue_runs()
    assert {item["status"] for item in crowd.items()} == {"SUCCEEDED"}, "none starved"
    assert len(runs) == len(set(paths(runs))) == AT_ONCE
    assert paths(runs)[OF_TRANSFORM:] == waited, "oldest first"
    assert most_at_once((run["StartedOn"].timestamp(), run["CompletedOn"].timestamp()) for run in runs) <= OF_TRANSFORM


def test_past_the_bound_of_the_line_callers_are_asked_to_come_again(crowd: Crowd) -> None:
    answers = statuses(run_at_once([crowd.labeling_set() for _ in range(AT_ONCE)]))
    while answers.count(202) < 103:  # three run, a hundred wait (the default bound)
        answers += statuses(run_at_once([crowd.labeling_set() for _ in range(20)]))
    assert set(answers) <= {202, 429, 503}
    assert statuses(run_at_once([crowd.labeling_set()])) == [429]
    assert len(crowd.items()) == answers.count(202) == 103
    assert crowd.running() == OF_TRANSFORM


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
