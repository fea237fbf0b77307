"""Waiting for a run, and listing runs page by page."""

import pytest

from label_loop import RunFailed, WaitExpired
from tests.client.scripted_api import RUN, Answer, scripted_api


def _run(status: str, **fields: object) -> tuple[int, dict[str, str], dict[str, object]]:
    return 200, {"Retry-After": "11"}, {**RUN, "status": status, **fields}


def test_wait_reports_each_change_once_and_follows_the_interval_of_the_service() -> None:
    answers = [_run("QUEUED"), _run("QUEUED"), _run("RUNNING"), _run("RUNNING"), _run("SUCCEEDED")]
    with scripted_api(*answers) as api:
        seen: list[str] = []
        ended = api.loop().task_run(RUN["id"]).wait(on_change=lambda run: seen.append(run.status))
    assert ended.status == "SUCCEEDED"
    assert seen == ["QUEUED", "RUNNING", "SUCCEEDED"]
    assert api.pauses == [5.0, 11.0, 11.0, 11.0]


def test_wait_that_runs_out_tells_that_the_run_goes_on() -> None:
    with (
        scripted_api(_run("RUNNING")) as api,
        pytest.raises(WaitExpired, match="still RUNNING after 30 s; it goes on") as caught,
    ):
        api.loop().task_run(RUN["id"]).wait(timeout=30)
    assert sum(api.pauses) == 30
    assert caught.value.exit_code == 5


def test_run_that_failed_raises_with_the_reason() -> None:
    failed = _run("FAILED", error={"code": "GLUE_FAILED", "message": "Invalid label file of size 0."})
    with scripted_api(failed) as api, pytest.raises(RunFailed, match=r"ended as FAILED: Invalid label file of size 0\."):
        api.loop().task_run(RUN["id"]).wait()


def test_task_runs_fetches_pages_only_as_they_are_needed() -> None:
    first: Answer = (200, {}, {"items": [RUN, RUN], "next": "cursor-2"})
    last: Answer = (200, {}, {"items": [RUN], "next": None})
    with scripted_api(first, last) as api:
        runs = api.loop().task_runs("tfm-1", status="RUNNING")
        next(runs)
        assert len(api.received) == 1
        assert len(list(runs)) == 2
    assert api.received[0].path == "/prod/v1/task-runs?transformId=tfm-1&status=RUNNING&limit=100"
    assert api.received[1].path.endswith("&cursor=cursor-2")
