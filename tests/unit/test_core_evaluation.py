"""The metrics of an evaluation that has succeeded."""

from datetime import timedelta
from unittest.mock import Mock

import pytest

from core.errors import GlueUnavailable, NotFoundInGlue
from core.evaluation_metrics import ColumnImportance, ConfusionMatrix, EvaluationMetrics
from core.runs import Run, Status
from core.views import TaskRun, view
from tests.fakes.glue import Fault, metrics_of
from tests.fakes.service import Service, evaluation_command, import_command, labeling_command


@pytest.fixture(autouse=True)
def _labels(service: Service) -> None:
    service.glue.label_count = 30


def evaluate(service: Service, key: str = "key") -> Run:
    """Start an evaluation, and let it succeed in Glue."""
    run = service.start_run(evaluation_command(key))
    service.glue.finish_all()
    return run


def start_by_hand(service: Service, status: Status, completed_after: timedelta | None) -> None:
    """Someone else's evaluation, which ended so long after the first one of the transform."""
    first = service.glue.all_task_runs()[0]
    completed_on = None if completed_after is None or first.completed_on is None else first.completed_on + completed_after
    by_hand = first._replace(task_run_id="tsk-by-hand", status=status, completed_on=completed_on)
    service.glue.task_runs["tfm-1"].append(by_hand)


def test_evaluation_ends_with_its_metrics_and_its_event_has_them(service: Service) -> None:
    run = evaluate(service)
    service.reconcile()
    ended = service.reload(run)
    assert (ended.status, ended.warning) == (Status.SUCCEEDED, None)
    assert ended.metrics == metrics_of(ended.task_run_id or "")
    assert service.bus.detail_types() == ["TaskRunStarted", "TaskRunSucceeded"]
    data = service.bus.events[-1].detail.data
    assert isinstance(data, TaskRun)
    assert data.metrics == view(ended).metrics is not None


def test_each_evaluation_keeps_its_own_metrics(service: Service) -> None:
    runs = [service.start_run(evaluation_command(key)) for key in ("one", "two", "three")]
    for _ in range(4):
        service.glue.finish_all()
        service.reconcile()
    ended = [service.reload(run) for run in runs]
    assert [run.metrics for run in ended] == [metrics_of(run.task_run_id or "") for run in ended]


def test_lost_evaluation_that_succeeded_meanwhile_has_its_metrics(service: Service) -> None:
    service.glue.faults = [Fault.LOST_AFTER]
    run = evaluate(service)
    service.reconcile()
    ended = service.reload(run)
    assert (ended.status, ended.metrics) == (Status.SUCCEEDED, metrics_of(ended.task_run_id or ""))


@pytest.mark.parametrize("status", [Status.FAILED, Status.STOPPED, Status.TIMEOUT])
def test_evaluation_that_did_not_succeed_has_no_metrics(service: Service, status: Status) -> None:
    run = service.start_run(evaluation_command())
    service.glue.metrics = metrics_of("an earlier one")
    service.glue.finish_all(status)
    service.reconcile()
    assert (service.reload(run).status, service.reload(run).metrics) == (status, None)


def test_other_runs_have_no_metrics(service: Service) -> None:
    evaluate(service)
    service.reconcile()
    runs = [service.start_run(labeling_command("set")), service.start_run(import_command("import"))]
    service.glue.finish_all()
    service.reconcile()
    assert [(service.reload(run).status, service.reload(run).metrics) for run in runs] == [(Status.SUCCEEDED, None)] * 2


@pytest.mark.parametrize("later", [timedelta(0), timedelta(seconds=5)])
def test_metrics_that_may_be_those_of_a_later_evaluation_are_not_taken(service: Service, later: timedelta) -> None:
    run = evaluate(service)
    start_by_hand(service, Status.SUCCEEDED, later)
    service.clock.pass_seconds(10)
    service.reconcile()
    ended = service.reload(run)
    assert (ended.status, ended.metrics) == (Status.SUCCEEDED, None)
    assert "another evaluation" in (ended.warning or "")


@pytest.mark.parametrize(
    ("status", "later"),
    [
        (Status.SUCCEEDED, timedelta(seconds=-1)),
        (Status.FAILED, timedelta(seconds=5)),
        (Status.RUNNING, None),
    ],
)
def test_evaluations_that_leave_no_newer_metrics_do_not_matter(
    service: Service, status: Status, later: timedelta | None
) -> None:
    run = evaluate(service)
    start_by_hand(service, status, later)
    service.clock.pass_seconds(10)
    service.reconcile()
    assert service.reload(run).metrics == metrics_of(service.reload(run).task_run_id or "")


def test_run_stays_open_until_glue_returns_its_metrics(service: Service) -> None:
    run = evaluate(service)
    metrics, service.glue.metrics = service.glue.metrics, None
    service.reconcile()
    waiting = service.reload(run)
    assert (waiting.status, waiting.completed_on, waiting.execution_time) == (Status.RUNNING, None, None)
    service.glue.metrics = metrics
    service.reconcile()
    assert (service.reload(run).status, service.reload(run).metrics) == (Status.SUCCEEDED, metrics)


def test_run_ends_with_a_warning_if_glue_never_returns_metrics(service: Service) -> None:
    run = evaluate(service)
    service.glue.metrics = None
    service.clock.pass_seconds(service.policy.confirm_after.total_seconds())
    service.reconcile()
    assert (service.reload(run).status, service.reload(run).metrics) == (Status.SUCCEEDED, None)
    assert "no metrics" in (service.reload(run).warning or "")


def test_transform_that_glue_does_not_know_for_a_moment_costs_no_metrics(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = evaluate(service)
    with monkeypatch.context() as unknown:
        unknown.setattr(service.glue, "get_transform", Mock(side_effect=NotFoundInGlue("Cannot find MLTransform")))
        service.reconcile()
    assert service.reload(run).status is Status.RUNNING
    service.reconcile()
    assert service.reload(run).metrics == metrics_of(service.reload(run).task_run_id or "")


def test_metrics_that_cannot_be_read_stop_neither_the_other_runs_nor_the_run_for_ever(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = evaluate(service)
    other = service.start_run(labeling_command("other"))
    service.glue.finish_all()
    monkeypatch.setattr(service.glue, "get_transform", Mock(side_effect=GlueUnavailable("AccessDeniedException")))
    service.clock.pass_seconds(600)
    service.reconcile()
    assert (service.reload(run).status, service.reload(other).status) == (Status.RUNNING, Status.SUCCEEDED)
    service.clock.pass_seconds(service.policy.start_deadline.total_seconds())
    service.reconcile()
    assert (service.reload(run).status, service.reload(run).metrics) == (Status.SUCCEEDED, None)


def test_missing_right_to_read_the_metrics_ends_the_run_with_a_warning_that_names_it(service: Service) -> None:
    run = evaluate(service)
    service.glue.denied.add("get_transform")
    service.reconcile()
    ended = service.reload(run)
    assert (ended.status, ended.metrics) == (Status.SUCCEEDED, None)
    assert "glue:GetMLTransform" in (ended.warning or "")


def test_public_form_has_glues_names_in_camel_case() -> None:
    service = Service()
    service.glue.label_count = 30
    run = evaluate(service)
    metrics = EvaluationMetrics(0.95, 0.9, 0.8, 0.85, ConfusionMatrix(9, 1, 80, 2), (ColumnImportance("surname", 0.7),))
    service.glue.metrics = metrics
    service.reconcile()
    assert view(service.reload(run)).model_dump(mode="json", by_alias=True)["metrics"] == {
        "areaUnderPRCurve": 0.95,
        "precision": 0.9,
        "recall": 0.8,
        "f1": 0.85,
        "confusionMatrix": {
            "numTruePositives": 9,
            "numFalsePositives": 1,
            "numTrueNegatives": 80,
            "numFalseNegatives": 2,
        },
        "columnImportances": [{"columnName": "surname", "importance": 0.7}],
    }
