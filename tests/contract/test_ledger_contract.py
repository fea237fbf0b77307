"""The Ledger port: the fake, and the DynamoDB adapter on moto and on the local cloud."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.errors import Conflict
from core.evaluation_metrics import ColumnImportance, ConfusionMatrix, EvaluationMetrics
from core.open_runs import open_run, shard_of
from core.ports import Ledger, RunFilter
from core.runs import Run, RunError, Status
from tests.contract.sample_runs import NOW, evaluating, importing, labeling, turn


def test_run_is_stored_as_written(ledger: Ledger) -> None:
    full = replace(
        importing(status=Status.FAILED),
        replace_all_labels=True,
        attempt=3,
        start_attempted_on=NOW,
        changed_on=NOW + timedelta(microseconds=1),
        task_run_id="tsk-1",
        started_on=NOW,
        completed_on=NOW + timedelta(minutes=9),
        execution_time=540,
        error=RunError("GLUE_FAILED", "naïve “quotes” and 日本"),
        cancel_requested=True,
    )
    written = ledger.write(None, full)
    assert ledger.get(full.id) == written == replace(full, revision=written.revision)


def test_metrics_of_an_evaluation_are_stored_as_written(ledger: Ledger) -> None:
    metrics = EvaluationMetrics(0.9, 0.8, None, 1 / 3, ConfusionMatrix(1, 2, 3, 4), (ColumnImportance("Straße", 0.5),))
    written = ledger.write(None, replace(evaluating(status=Status.SUCCEEDED), metrics=metrics))
    assert ledger.get(written.id) == written
    assert written.metrics == metrics


def test_every_write_gets_a_new_revision(ledger: Ledger) -> None:
    first = ledger.write(None, labeling())
    second = ledger.write(first, first)
    third = ledger.write(second, replace(second, status=Status.STARTING))
    assert len({first.revision, second.revision, third.revision, ""}) == 4


def test_unknown_run_is_none(ledger: Ledger) -> None:
    assert ledger.get("0" * 32) is None


def test_get_if_recent_returns_the_current_run(ledger: Ledger) -> None:
    first = ledger.write(None, labeling())
    assert ledger.get_if_recent(first.id) == first
    second = ledger.write(first, replace(first, status=Status.STARTING))
    assert ledger.get_if_recent(first.id) == second
    assert ledger.get_if_recent("0" * 32) is None


def test_get_if_recent_misses_an_erased_run(ledger: Ledger) -> None:
    reservation = ledger.write(None, labeling())
    ledger.delete(reservation)
    assert ledger.get_if_recent(reservation.id) is None


def test_queue_item_is_not_a_run(ledger: Ledger) -> None:
    ledger.write(None, labeling(status=Status.QUEUED))
    assert ledger.get("line#tfm-1") is None


def test_only_one_writer_creates_a_run(ledger: Ledger) -> None:
    first = ledger.write(None, labeling())
    with pytest.raises(Conflict) as conflict:
        ledger.write(None, replace(labeling(), requested_by="bob"))
    assert conflict.value.current == first == ledger.get(first.id)


def test_stale_writer_gets_a_conflict(ledger: Ledger) -> None:
    first = ledger.write(None, labeling())
    second = ledger.write(first, replace(first, status=Status.STARTING))
    for stale in (None, first):
        with pytest.raises(Conflict) as conflict:
            ledger.write(stale, replace(first, status=Status.CANCELLED))
        assert conflict.value.current == second
    assert ledger.get(first.id) == second


def test_writing_to_an_erased_run_is_a_conflict(ledger: Ledger) -> None:
    gone = ledger.write(None, labeling())
    ledger.delete(gone)
    with pytest.raises(Conflict) as conflict:
        ledger.write(gone, replace(gone, status=Status.STARTING))
    assert conflict.value.current is None


@pytest.mark.parametrize("run", [labeling(), importing()], ids=["labeling", "import"])
def test_erased_reservation_leaves_no_trace(ledger: Ledger, run: Run) -> None:
    reservation = ledger.write(None, run)
    ledger.delete(reservation)
    ledger.delete(reservation)
    assert ledger.get(run.id) is None
    assert list(ledger.open_runs()) == []
    assert ledger.write(None, run).status is Status.RESERVED


def test_changed_run_is_not_erased(ledger: Ledger) -> None:
    reservation = ledger.write(None, importing())
    now = turn(ledger, reservation, Status.STARTING)
    with pytest.raises(Conflict) as conflict:
        ledger.delete(reservation)
    assert conflict.value.current == now == ledger.get(now.id)


def test_open_runs_are_listed_by_transform_oldest_first(ledger: Ledger) -> None:
    written = [
        ledger.write(None, labeling(number, status, f"tfm-{number % 2}"))
        for number, status in enumerate([status for status in Status if status is not Status.RESERVED])
    ]
    expected = [run for run in written if not run.status.is_terminal]
    expected.sort(key=lambda run: (shard_of(run.transform_id or ""), run.transform_id, run.requested_on))
    assert list(ledger.open_runs()) == list(map(open_run, expected))


def test_ended_run_is_open_again_when_sent_again(ledger: Ledger) -> None:
    run = turn(ledger, ledger.write(None, labeling()), Status.REFUSED)
    assert list(ledger.open_runs()) == []
    again = turn(ledger, run, Status.RESERVED)
    assert list(ledger.open_runs()) == [open_run(again)]


def test_run_without_a_transform_can_be_recorded(ledger: Ledger) -> None:
    run = ledger.write(None, replace(labeling(status=Status.REFUSED), transform_id=None, path=None))
    assert ledger.get(run.id) == run
    assert ledger.list_runs(RunFilter(), 10, None).items == (run,)


def test_owned_returns_the_task_run_ids_of_our_runs(ledger: Ledger) -> None:
    ledger.write(None, replace(importing(1, Status.SUCCEEDED), task_run_id="tsk-old"))
    ledger.write(None, replace(importing(5, Status.SUCCEEDED), task_run_id="tsk-new"))
    ledger.write(None, replace(labeling(6, Status.RUNNING), task_run_id="tsk-labeling"))
    ledger.write(None, replace(importing(7, Status.SUCCEEDED, "tfm-2"), task_run_id="tsk-elsewhere"))
    ledger.write(None, labeling(8, Status.UNCONFIRMED))
    assert ledger.known_task_run_ids("tfm-1", NOW + timedelta(seconds=5)) == {"tsk-new", "tsk-labeling"}
    assert ledger.known_task_run_ids("tfm-1", NOW) == {"tsk-old", "tsk-new", "tsk-labeling"}
    assert ledger.known_task_run_ids("tfm-none", NOW) == frozenset()
