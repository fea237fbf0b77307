"""Two hundred processes request runs of one transform at the same time; reconcilers run two at a time."""

from dataclasses import replace

import pytest

from core.ports import Dependencies
from tests.chaos.cloud import ChaosCloud
from tests.chaos.handler_runs import HandlerRun, Outcome, run_at_once
from tests.chaos.transform_driver import TransformDriver, max_concurrent, paths, status_codes

CALLERS = 200
MAX_TASK_RUNS = 3  # Glue's limit per transform
MIN_IN_FLIGHT = 150  # on two cores, the first has its answer before the last begins


@pytest.fixture
def driver(cloud: ChaosCloud, processes: None, request: pytest.FixtureRequest) -> TransformDriver:
    del processes
    driver = TransformDriver(cloud, cloud.transform(request.node.name[:200]))
    cloud.hold(driver.transform)
    return driver


def with_long_queue(deps: Dependencies) -> Dependencies:
    return replace(deps, policy=replace(deps.policy, max_queued=CALLERS))


def in_flight(outcomes: list[Outcome]) -> int:
    return max_concurrent((outcome.began, outcome.ended) for outcome in outcomes if outcome.ended is not None)


def send_until_accepted(requests: list[HandlerRun]) -> list[Outcome]:
    """Send all at the same time, then those answered 503 again, until each is accepted."""
    outcomes: list[Outcome] = []
    while requests:
        attempts = run_at_once(requests, with_long_queue)
        assert set(status_codes(attempts)) <= {202, 503}, "accepted, or to be sent again"
        outcomes += attempts
        requests = [run for run, status in zip(requests, status_codes(attempts), strict=True) if status != 202]
    return outcomes


def test_two_hundred_requests_at_once_run_three_at_a_time_oldest_first(driver: TransformDriver) -> None:
    outcomes = send_until_accepted([driver.labeling_set_request() for _ in range(CALLERS)])
    assert in_flight(outcomes) >= MIN_IN_FLIGHT
    accepted = driver.items()
    assert len(accepted) == CALLERS, "each request once"
    first = set(paths(driver.glue_runs()))
    assert len(first) == MAX_TASK_RUNS
    queued = driver.queued_paths()
    assert sorted(queued) == sorted(item["path"] for item in accepted if item["path"] not in first)
    driver.cloud.release(driver.transform)
    for _ in range(2 * CALLERS):
        driver.reconcile()
        if all(item["status"] == "SUCCEEDED" for item in driver.items()):
            break
    runs = driver.glue_runs()
    assert {item["status"] for item in driver.items()} == {"SUCCEEDED"}, "no request starves"
    assert len(runs) == len(set(paths(runs))) == CALLERS
    assert paths(runs)[MAX_TASK_RUNS:] == queued, "oldest first"
    assert max_concurrent((run["StartedOn"].timestamp(), run["CompletedOn"].timestamp()) for run in runs) <= MAX_TASK_RUNS


def test_full_queue_is_answered_429(driver: TransformDriver) -> None:
    codes = status_codes(run_at_once([driver.labeling_set_request() for _ in range(CALLERS)]))
    while codes.count(202) < 103:  # three run, a hundred wait (the default limit)
        codes += status_codes(run_at_once([driver.labeling_set_request() for _ in range(20)]))
    assert set(codes) <= {202, 429, 503}
    assert status_codes(run_at_once([driver.labeling_set_request()])) == [429]
    assert len(driver.items()) == codes.count(202) == 103
    assert driver.count_running() == MAX_TASK_RUNS


def test_imports_run_one_at_a_time_in_order_of_acceptance(driver: TransformDriver) -> None:
    assert set(status_codes(run_at_once([driver.import_request() for _ in range(20)]))) == {202}
    first, queued = paths(driver.glue_runs()), driver.queued_paths()
    assert len(first) == 1
    assert sorted([*first, *queued]) == sorted(item["path"] for item in driver.items())
    for _ in range(45):
        driver.reconcile()
        assert driver.count_running() <= 1
        driver.let_glue_finish()
    assert {item["status"] for item in driver.items()} == {"SUCCEEDED"}
    assert paths(driver.glue_runs()) == [*first, *queued]


def test_queued_run_ends_at_its_start_deadline(driver: TransformDriver) -> None:
    assert set(status_codes(run_at_once([driver.labeling_set_request() for _ in range(5)]))) == {202}
    driver.reconcile(at=1100)
    assert sorted(item["status"] for item in driver.items()) == ["RUNNING"] * 3 + ["START_FAILED"] * 2
