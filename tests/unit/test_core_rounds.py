"""Rounds that run out of time, are killed or overlap: every transform gets its turn, in whichever process."""

from collections import Counter
from concurrent.futures import Executor, Future
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from core.errors import LedgerUnavailable, RoundInProgress
from core.open_runs import SHARDS, shard_of
from core.ports import GlueRun
from core.reconcile import reconcile
from core.rounds import ALL_SHARDS, Part
from core.runs import Status
from tests.fakes.service import Service, labeling_command

SLOW_SECONDS = 15
ROUND = timedelta(seconds=300)  # after which Lambda kills the function
RESERVE = timedelta(seconds=60)  # the handler's
NAMES = [f"tfm-{number}" for number in range(60)]


class Inline(Executor):
    """Runs each task as it is submitted, so that the fake clock is that of one thread."""

    def submit(self, task: Any, /, *args: Any, **named: Any) -> Future[Any]:  # noqa: ANN401  as Executor has it
        future: Future[Any] = Future()
        future.set_result(task(*args, **named))
        return future


class SlowGlue:
    """Each look-up takes 15 s. Records which transforms were looked up; with `dies_after`, the process is killed then."""

    def __init__(self, service: Service) -> None:
        self.lookups: list[str] = []
        self.dies_after: int | None = None
        self._service = service
        self._list_task_runs = service.glue.list_task_runs
        service.glue.list_task_runs = self.list_task_runs  # type: ignore[method-assign]

    def list_task_runs(self, transform_id: str, since: datetime) -> list[GlueRun]:
        if self.dies_after == len(self.lookups):
            raise KeyboardInterrupt
        self.lookups.append(transform_id)
        self._service.clock.pass_seconds(SLOW_SECONDS)
        return self._list_task_runs(transform_id, since)


@pytest.fixture
def glue(service: Service) -> SlowGlue:
    service.glue.task_runs |= {name: [] for name in NAMES}
    for name in NAMES:
        service.start(labeling_command(transform_id=name, caller=name))
    return SlowGlue(service)


def one_round(service: Service, part: Part = ALL_SHARDS) -> timedelta:
    """Reconcile in a process of its own, as long as the handler would; returns how long it took."""
    begun = service.clock()
    reconcile(service.deps, lambda: service.clock() - begun < ROUND - RESERVE, Inline(), part)
    return service.clock() - begun


def test_round_ends_in_time_although_glue_is_slow(service: Service, glue: SlowGlue) -> None:
    duration = one_round(service)
    assert ROUND - RESERVE <= duration < ROUND
    assert 0 < len(glue.lookups) < len(NAMES)


def test_rounds_that_run_out_of_time_give_every_transform_its_turn(service: Service, glue: SlowGlue) -> None:
    per_round = (ROUND - RESERVE) // timedelta(seconds=SLOW_SECONDS)
    for _ in range(2 * len(NAMES) // per_round + 1):
        one_round(service)
    assert set(Counter(glue.lookups[: len(NAMES)]).values()) == {1}
    assert glue.lookups[len(NAMES) : 2 * len(NAMES)] == glue.lookups[: len(NAMES)]


def test_round_that_gets_through_lets_the_next_one_begin_at_the_first_transform(service: Service, glue: SlowGlue) -> None:
    reconcile(service.deps, executor=Inline())
    reconcile(service.deps, executor=Inline())
    assert glue.lookups == glue.lookups[: len(NAMES)] * 2
    assert service.ledger.checkpoint(str(ALL_SHARDS)) is None


def test_transform_without_open_runs_any_more_loses_no_turn(service: Service, glue: SlowGlue) -> None:
    one_round(service)
    checkpoint = service.ledger.checkpoint(str(ALL_SHARDS))
    assert checkpoint is not None
    next_transform = checkpoint.place.transform_id
    assert next_transform not in glue.lookups
    (run,) = [run for run in service.ledger.items.values() if run.transform_id == next_transform]
    service.ledger.write(run, replace(run, status=Status.SUCCEEDED))
    before = len(glue.lookups)
    one_round(service)
    assert not set(glue.lookups[:before]) & set(glue.lookups[before:])


def test_killed_process_loses_at_most_half_a_minute(service: Service, glue: SlowGlue) -> None:
    glue.dies_after = 10
    with pytest.raises(KeyboardInterrupt):
        one_round(service)
    glue.dies_after = None
    service.clock.pass_seconds(60)
    one_round(service)
    repeated = Counter(glue.lookups).most_common()
    assert sum(times - 1 for _, times in repeated) <= 30 / SLOW_SECONDS


def test_round_does_not_begin_while_the_last_one_runs(service: Service, glue: SlowGlue) -> None:
    glue.dies_after = 10
    with pytest.raises(KeyboardInterrupt):  # of which nobody else can know: it may as well be slow
        one_round(service)
    glue.dies_after = None
    before = len(glue.lookups)
    with pytest.raises(RoundInProgress):
        reconcile(service.deps, executor=Inline())
    assert len(glue.lookups) == before
    service.clock.pass_seconds(60)
    assert reconcile(service.deps, executor=Inline()).transforms == len(NAMES)


def test_parts_share_the_transforms(service: Service, glue: SlowGlue) -> None:
    parts = [Part(number, 3) for number in range(3)]
    assert [shard for part in parts for shard in part.shards] == list(SHARDS)
    for part in parts:
        before = len(glue.lookups)
        summary = reconcile(service.deps, executor=Inline(), part=part)
        assert {shard_of(name) for name in glue.lookups[before:]} <= set(part.shards)
        assert summary.transforms == len(glue.lookups) - before
    assert sorted(glue.lookups) == sorted(NAMES)


def test_a_part_keeps_its_own_place(service: Service, glue: SlowGlue) -> None:
    for _ in range(3):
        for number in range(2):
            one_round(service, Part(number, 2))
    assert set(Counter(glue.lookups[: len(NAMES)]).values()) <= {1, 2}
    assert set(glue.lookups) == set(NAMES)


def test_time_is_looked_at_before_each_run_of_a_transform(service: Service) -> None:
    service.glue.limit = 0
    for number in range(20):
        service.start(labeling_command(f"key-{number}"))
    service.glue.limit = 20
    starts = service.glue.start

    def slow_start(run: Any) -> str:  # noqa: ANN401  passed on
        service.clock.pass_seconds(SLOW_SECONDS)
        return starts(run)

    service.glue.start = slow_start  # type: ignore[method-assign]
    assert one_round(service) < ROUND
    assert {run.status for run in service.ledger.items.values()} == {Status.STARTING, Status.QUEUED}


def test_round_goes_on_if_its_checkpoint_cannot_be_saved(
    service: Service, glue: SlowGlue, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(*_: object) -> None:
        raise LedgerUnavailable

    service.ledger.save_checkpoint = failing  # type: ignore[method-assign, assignment]
    assert reconcile(service.deps, executor=Inline()).transforms == len(glue.lookups) == len(NAMES)
    assert "CHECKPOINT_NOT_SAVED" in caplog.messages
