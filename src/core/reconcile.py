"""Make the ledger and Glue agree: settle lost responses, record what has changed in Glue, start what is queued.

Every step is one conditional write, so two reconcilers at the same time can only make each other's writes fail.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import reduce
from itertools import groupby, takewhile
from operator import add, attrgetter
from typing import TypeVar

from core.errors import Conflict, GlueUnavailable, LoopError, NotFoundInGlue, Refused
from core.log_fields import fault_fields, log_fields
from core.open_runs import OpenRun, Place, task_tag
from core.ports import Dependencies, GlueRun
from core.rounds import ALL_SHARDS, Part, Round
from core.runs import IN_GLUE, Run, Status
from core.settle import as_unsettled, is_unsettled_past_deadline, settle
from core.start_queued import end_at_deadline, is_past_start_deadline, record_glue_unavailable, start_queued_runs
from core.track import read_run, track_open_run, track_run

_log = logging.getLogger(__name__)
_THREADS = 8
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class RoundSummary:
    """What a round did: the transforms that it went through and how many of those failed, and counts of runs.

    `changed` and `ended` count runs whose status in Glue was recorded, `started` those that left a queue, `queued` those that
    are still in one. `oldest_..._seconds` is the longest time that a run had been open, unconfirmed or queued.
    """

    transforms: int = 0
    failed: int = 0
    changed: int = 0
    ended: int = 0
    started: int = 0
    queued: int = 0
    oldest_open_seconds: int = 0
    oldest_unconfirmed_seconds: int = 0
    oldest_queued_seconds: int = 0

    def __add__(self, summary: "RoundSummary") -> "RoundSummary":
        pairs = {name: (getattr(self, name), getattr(summary, name)) for name in self.__slots__}
        return RoundSummary(**{name: max(pair) if name.startswith("oldest_") else sum(pair) for name, pair in pairs.items()})


def reconcile(
    deps: Dependencies,
    has_time_left: Callable[[], bool] = lambda: True,
    executor: Executor | None = None,
    part: Part = ALL_SHARDS,
) -> RoundSummary:
    """Go through the open runs of `part` once, by transform. `has_time_left` tells whether to begin anything more.

    If it runs out of time, the next round begins where this one stopped, in whichever process. `executor` reconciles the
    transforms; threads by default. Raises RoundInProgress if the last round of the part still runs, LedgerUnavailable if open
    runs cannot be listed.
    """
    this_round = Round(part, deps)
    summary = RoundSummary()
    running: set[Future[RoundSummary]] = set()
    with executor or ThreadPoolExecutor(_THREADS) as pool:
        for place, runs in _by_transform(deps.ledger.open_runs(part.shards, this_round.begin)):
            if len(running) >= _THREADS:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                summary = _add(summary, done)
            if not has_time_left():
                this_round.stop_at(place)
                break
            this_round.pass_by(place)
            running.add(pool.submit(_try_transform, runs, deps, has_time_left))
        else:
            this_round.finish()
        return _add(summary, running)


def _by_transform(open_runs: Iterable[OpenRun]) -> Iterator[tuple[Place, list[OpenRun]]]:
    for (shard, transform_id), runs in groupby(open_runs, key=attrgetter("shard", "transform_id")):
        yield Place(shard, transform_id), list(runs)


def _add(summary: RoundSummary, futures: Iterable[Future[RoundSummary]]) -> RoundSummary:
    return reduce(add, (future.result() for future in futures), summary)


def reconcile_transform(
    runs: Sequence[OpenRun], deps: Dependencies, has_time_left: Callable[[], bool] = lambda: True
) -> RoundSummary:
    """Reconcile the open runs of one transform. Raises GlueUnavailable, LedgerUnavailable.

    Runs are read from the ledger before Glue lists its task runs: otherwise a change in between would look as if it had not
    happened. `has_time_left` tells whether to go on to the next run: each may take three calls that are as slow as they may be.
    """
    queued = [run for run in runs if run.status is Status.QUEUED]
    in_glue = [run for run in runs if run.task_tag is not None]
    now = deps.clock()

    def in_time(items: Iterable[_Item]) -> Iterator[_Item]:
        return takewhile(lambda _: has_time_left(), items)

    unclear = _read_runs(in_time(run for run in runs if run.status is not Status.QUEUED and run.task_tag is None), deps)
    try:
        glue_runs = _list_task_runs([run for run in runs if run.status is not Status.QUEUED or run.search_from], deps)
    except GlueUnavailable:
        _end_overdue(queued, unclear, now, deps)
        record_glue_unavailable(queued, deps)
        raise
    changed = [*_track(in_time(in_glue), glue_runs, now, deps), *_settle(in_time(unclear), glue_runs, now, deps)]
    started = start_queued_runs(queued, glue_runs, now, deps, has_time_left)
    return RoundSummary(
        transforms=1,
        changed=len(changed),
        ended=sum(run.status.is_terminal for run in changed),
        started=started,
        queued=len(queued) - started,
    )


def _read_runs(open_runs: Iterable[OpenRun], deps: Dependencies) -> list[Run]:
    """The whole runs, without those that have changed since the index was read."""
    runs = []
    for open_run in open_runs:
        with suppress(Conflict):
            runs.append(read_run(open_run, deps))
    return runs


def _track(open_runs: Iterable[OpenRun], glue_runs: Sequence[GlueRun], now: datetime, deps: Dependencies) -> list[Run]:
    """Record the changes of runs that Glue has; returns those that changed."""
    by_tag = {task_tag(glue_run.task_run_id): glue_run for glue_run in glue_runs}
    changed = []
    for open_run in open_runs:
        with suppress(Conflict):
            if (after := track_open_run(open_run, by_tag, now, deps)) is not None:
                changed.append(_log_change(after))
    return changed


def _settle(runs: Iterable[Run], glue_runs: Sequence[GlueRun], now: datetime, deps: Dependencies) -> list[Run]:
    """Settle starts whose outcome is unknown, and repeat requested cancellations; returns the runs that changed."""
    changed = []
    for run in runs:
        with suppress(Conflict):
            after = track_run(run, glue_runs, now, deps) if run.status in IN_GLUE else settle(run, glue_runs, now, deps)
            if after.revision != run.revision:
                changed.append(_log_change(after))
    return changed


def _end_overdue(queued: Sequence[OpenRun], unclear: Sequence[Run], now: datetime, deps: Dependencies) -> None:
    """End runs that are past their start deadline, although Glue cannot be looked up: that may last for days."""
    for open_run in queued:
        with suppress(Conflict):
            if is_past_start_deadline(open_run, now, deps):
                end_at_deadline(read_run(open_run, deps), deps)
    for run in unclear:
        with suppress(Conflict):
            if run.status not in IN_GLUE and is_unsettled_past_deadline(run, now, deps):
                _log_change(deps.ledger.write(run, as_unsettled(run, now)))


def _log_change(run: Run) -> Run:
    _log.info("RUN_STATUS_CHANGED", extra=log_fields(run))
    return run


def _list_task_runs(attempted: Sequence[OpenRun], deps: Dependencies) -> Sequence[GlueRun]:
    """The transform's task runs since the first of `attempted`, which are runs that Glue may have."""
    if not attempted:
        return []
    since = min(run.search_from or run.requested_on for run in attempted) - deps.policy.clock_skew
    transform_id = attempted[0].transform_id
    try:
        return deps.glue.list_task_runs(transform_id, since)
    except NotFoundInGlue:
        return _no_task_runs_if_deleted(transform_id, deps)


def _no_task_runs_if_deleted(transform_id: str, deps: Dependencies) -> Sequence[GlueRun]:
    """An empty list would prove that nothing was started, and Glue is eventually consistent: so look the transform up too."""
    try:
        deps.glue.get_transform(transform_id)
    except NotFoundInGlue:
        return []
    except Refused as refusal:
        raise GlueUnavailable(str(refusal)) from refusal
    raise GlueUnavailable("the transform exists, but Glue does not list its task runs")


def _try_transform(runs: Sequence[OpenRun], deps: Dependencies, has_time_left: Callable[[], bool]) -> RoundSummary:
    """Reconcile a transform; if it fails, log that and count it, so that the other transforms go on."""
    ages = _ages(runs, deps.clock())
    transform_id = runs[0].transform_id
    try:
        return reconcile_transform(runs, deps, has_time_left) + ages
    except LoopError as error:
        extra = {"transformId": transform_id, "cause": type(error).__name__}
        _log.warning("TRANSFORM_NOT_RECONCILED", extra=extra)
    except Exception as fault:  # noqa: BLE001  an unexpected error in one transform must not stop the others
        _log.error("TRANSFORM_NOT_RECONCILED", extra=fault_fields(fault) | {"transformId": transform_id})
    return replace(ages, transforms=1, failed=1, queued=sum(run.status is Status.QUEUED for run in runs))


def _ages(runs: Sequence[OpenRun], now: datetime) -> RoundSummary:
    def oldest_seconds(*since: datetime) -> int:
        return max(0, int((now - min(since, default=now)).total_seconds()))

    unconfirmed = [run for run in runs if run.status is Status.UNCONFIRMED]
    queued = [run for run in runs if run.status is Status.QUEUED]
    return RoundSummary(
        oldest_open_seconds=oldest_seconds(*(run.requested_on for run in runs)),
        oldest_unconfirmed_seconds=oldest_seconds(*(run.search_from or run.requested_on for run in unconfirmed)),
        oldest_queued_seconds=oldest_seconds(*(run.requested_on for run in queued)),
    )
