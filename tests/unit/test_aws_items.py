"""A run as an item of the ledger, and back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from botocore.session import Session
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from core.aws.items import from_item, is_requested_key, is_run, requested_key, to_changes, to_item
from core.evaluation_metrics import ColumnImportance, ConfusionMatrix, EvaluationMetrics
from core.runs import IN_GLUE, Progress, Run, RunError, Status, TaskType

RETENTION = timedelta(days=90)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
IDS = st.text("0123456789abcdef", min_size=32, max_size=32)
METRICS = EvaluationMetrics(0.9, 0.8, None, 0.75, ConfusionMatrix(1, 2, 3, 4), (ColumnImportance("Straße", 0.5),))
TIMES = st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  bounds are naive
RUNS = st.builds(
    Run,
    id=IDS,
    requested_by=TEXT,
    requested_on=TIMES,
    task_type=st.sampled_from(TaskType),
    status=st.sampled_from(Status),
    transform_id=st.none() | TEXT,
    path=st.none() | TEXT,
    replace_all_labels=st.none() | st.booleans(),
    attempt=st.integers(1, 1000),
    start_attempted_on=st.none() | TIMES,
    lease_until=st.none() | TIMES,
    changed_on=st.none() | TIMES,
    task_run_id=st.none() | TEXT,
    started_on=st.none() | TIMES,
    completed_on=st.none() | TIMES,
    execution_time=st.none() | st.integers(0, 10**6),
    error=st.none() | st.builds(RunError, TEXT, TEXT),
    metrics=st.sampled_from([None, METRICS]),
    cancel_requested=st.booleans(),
    correlation_id=st.just("") | TEXT,
    causation_id=st.just("") | TEXT,
    revision=TEXT,
)


@given(RUNS)
def test_run_survives_the_round_trip_through_its_item(run: Run) -> None:
    assert from_item(to_item(run, RETENTION)) == run


GLUE_STATUSES = [*IN_GLUE, Status.SUCCEEDED, Status.FAILED, Status.STOPPED, Status.TIMEOUT]
PROGRESS = st.builds(
    Progress,
    status=st.sampled_from(GLUE_STATUSES),
    task_run_id=TEXT,
    started_on=TIMES,
    completed_on=st.none() | TIMES,
    execution_time=st.none() | st.integers(0, 10**6),
    error=st.none() | st.builds(RunError, TEXT, TEXT),
    changed_on=TIMES,
)


@given(RUNS, st.sampled_from(sorted(IN_GLUE)), PROGRESS)
def test_update_makes_the_same_item_as_a_put(run: Run, status: Status, progress: Progress) -> None:
    before = replace(run, status=status, task_run_id=progress.task_run_id, cancel_requested=False)
    sets, removes = to_changes(progress, RETENTION)
    kept = {name: value for name, value in to_item(before, RETENTION).items() if name not in removes}
    assert not sets.keys() & removes
    assert kept | sets == to_item(progress.apply_to(before), RETENTION)


@cache
def _put_item_input() -> Any:  # noqa: ANN401  botocore's shapes have no type
    return Session().get_service_model("dynamodb").shape_for("PutItemInput")


@given(RUNS)
def test_item_is_valid_for_dynamodb(run: Run) -> None:
    report = ParamValidator().validate({"TableName": "ledger", "Item": to_item(run, RETENTION)}, _put_item_input())
    assert not report.has_errors(), report.generate_report()


@given(RUNS)
def test_open_runs_are_in_the_sparse_index_and_ended_runs_expire(run: Run) -> None:
    item = to_item(run, RETENTION)
    assert ("openShard" in item, "openKey" in item) == (not run.status.is_terminal,) * 2
    assert ("expiresAt" in item) == run.status.is_terminal
    if run.status.is_terminal:
        ended_on = run.changed_on or run.requested_on
        assert int(item["expiresAt"]["N"]) == int((ended_on + RETENTION).timestamp())


@given(RUNS)
def test_run_is_distinguished_from_other_items(run: Run) -> None:
    assert is_run(to_item(run, RETENTION))
    assert not is_run({"id": {"S": "line#tfm-1"}, "waiting": {"L": []}})
    assert not is_run({})


@given(TIMES, TIMES, IDS, IDS)
def test_keys_of_the_indexes_sort_by_time(left: datetime, right: datetime, first: str, second: str) -> None:
    keys = requested_key(left, first), requested_key(right, second)
    assert all(map(is_requested_key, keys))
    if left != right:
        assert (keys[0] < keys[1]) == (left < right)


@given(RUNS, st.integers(1, 500_000))
def test_long_message_is_truncated(run: Run, length: int) -> None:
    kept = from_item(to_item(replace(run, error=RunError("GLUE_FAILED", "x" * length)), RETENTION)).error
    assert kept is not None
    assert len(kept.message) == min(length, 2000)
