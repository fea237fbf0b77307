"""A run as the ledger's item, and back: nothing is lost on the way."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from botocore.session import Session
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from core.aws.items import from_item, is_requested_key, is_run, requested_key, to_changes, to_item
from core.runs import IN_GLUE, Progress, Run, RunError, Status, TaskType

RETENTION = timedelta(days=90)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)
IDS = st.text("0123456789abcdef", min_size=32, max_size=32)
MOMENTS = st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  bounds are naive
RUNS = st.builds(
    Run,
    id=IDS,
    requested_by=TEXT,
    requested_on=MOMENTS,
    task_type=st.sampled_from(TaskType),
    status=st.sampled_from(Status),
    transform_id=st.none() | TEXT,
    path=st.none() | TEXT,
    replace_all_labels=st.none() | st.booleans(),
    attempt=st.integers(1, 1000),
    start_attempted_on=st.none() | MOMENTS,
    lease_until=st.none() | MOMENTS,
    changed_on=st.none() | MOMENTS,
    task_run_id=st.none() | TEXT,
    started_on=st.none() | MOMENTS,
    completed_on=st.none() | MOMENTS,
    execution_time=st.none() | st.integers(0, 10**6),
    error=st.none() | st.builds(RunError, TEXT, TEXT),
    cancel_requested=st.booleans(),
    correlation_id=st.just("") | TEXT,
    causation_id=st.just("") | TEXT,
    revision=TEXT,
)


@given(RUNS)
def test_an_item_gives_back_the_run_that_it_was_made_of(run: Run) -> None:
    assert from_item(to_item(run, RETENTION)) == run


GLUES_WORDS = [*IN_GLUE, Status.SUCCEEDED, Status.FAILED, Status.STOPPED, Status.TIMEOUT]
PROGRESS = st.builds(
    Progress,
    status=st.sampled_from(GLUES_WORDS),
    task_run_id=TEXT,
    started_on=MOMENTS,
    completed_on=st.none() | MOMENTS,
    execution_time=st.none() | st.integers(0, 10**6),
    error=st.none() | st.builds(RunError, TEXT, TEXT),
    changed_on=MOMENTS,
)


@given(RUNS, st.sampled_from(sorted(IN_GLUE)), PROGRESS)
def test_changing_attributes_makes_the_item_that_the_changed_run_has(run: Run, status: Status, progress: Progress) -> None:
    before = replace(run, status=status, task_run_id=progress.task_run_id, cancel_requested=False)
    sets, loses = to_changes(progress, RETENTION)
    kept = {name: value for name, value in to_item(before, RETENTION).items() if name not in loses}
    assert not sets.keys() & loses
    assert kept | sets == to_item(progress.apply_to(before), RETENTION)


@cache
def _put_item_input() -> Any:  # noqa: ANN401  botocore's shapes have no type
    return Session().get_service_model("dynamodb").shape_for("PutItemInput")


@given(RUNS)
def test_an_item_is_what_dynamodb_takes(run: Run) -> None:
    found = ParamValidator().validate({"TableName": "ledger", "Item": to_item(run, RETENTION)}, _put_item_input())
    assert not found.has_errors(), found.generate_report()


@given(RUNS)
def test_only_open_work_is_in_the_sparse_index_and_only_what_ended_expires(run: Run) -> None:
    item = to_item(run, RETENTION)
    assert ("openShard" in item, "openKey" in item) == (not run.status.is_terminal,) * 2
    assert ("expiresAt" in item) == run.status.is_terminal
    if run.status.is_terminal:
        ended = run.changed_on or run.requested_on
        assert int(item["expiresAt"]["N"]) == int((ended + RETENTION).timestamp())


@given(RUNS)
def test_a_run_is_told_from_what_else_the_ledger_holds(run: Run) -> None:
    assert is_run(to_item(run, RETENTION))
    assert not is_run({"id": {"S": "line#tfm-1"}, "waiting": {"L": []}})
    assert not is_run({})


@given(MOMENTS, MOMENTS, IDS, IDS)
def test_keys_of_the_indexes_sort_by_time(one: datetime, other: datetime, first: str, second: str) -> None:
    keys = requested_key(one, first), requested_key(other, second)
    assert all(map(is_requested_key, keys))
    if one != other:
        assert (keys[0] < keys[1]) == (one < other)


@given(RUNS, st.integers(1, 500_000))
def test_no_message_makes_an_item_too_large(run: Run, length: int) -> None:
    kept = from_item(to_item(replace(run, error=RunError("GLUE_FAILED", "x" * length)), RETENTION)).error
    assert kept is not None
    assert len(kept.message) == min(length, 2000)
