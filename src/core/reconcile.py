"""Make the ledger and Glue agree: settle lost answers, record what finished, start what waited.

Every step is one conditional write, so that two reconcilers at the same time only ever make each other's writes fail.
"""

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import groupby, islice

from core.errors import Conflict, GlueUnavailable, LoopError, NotFoundInGlue
from core.log_fields import log_fields
from core.open_runs import OpenRun, task_tag
from core.ports import Dependencies, GlueRun
from core.runs import IN_GLUE, Run, Status
from core.settle import settle
from core.start_queued import start_queued_runs
from core.track import follow, track_open_run, whole

_log = logging.getLogger(__name__)
_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class RoundSummary:
    """What a round did: transforms looked at, and how many of them could not be; runs that moved, ended, started, wait.

    `oldest_…` are the seconds that the longest open, doubtful and queued run had waited when the round came to it.
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

    def __add__(self, other: "RoundSummary") -> "RoundSummary":
        ours, theirs = asdict(self), asdict(other)
        return RoundSummary(
            **{
                name: max(ours[name], theirs[name]) if name.startswith("oldest_") else ours[name] + theirs[name]
                for name in ours
            }
        )


def reconcile(
    deps: Dependencies, has_time_left: Callable[[], bool] = lambda: True, executor: Executor | None = None
) -> RoundSummary:
    """One round over all open work; `has_time_left` says whether there is time for a further batch of transforms.

    `executor` reconciles the transforms of a batch; threads by default.
    """
    summary = RoundSummary()
    groups = (list(runs) for _, runs in groupby(deps.ledger.open_runs(), key=lambda run: run.transform_id))
    with executor or ThreadPoolExecutor(_AT_ONCE) as pool:
        while has_time_left() and (batch := list(islice(groups, _AT_ONCE * 4))):
            for one in pool.map(lambda runs: _safely(runs, deps), batch):
                summary += one
    return summary


def reconcile_transform(runs: Sequence[OpenRun], deps: Dependencies) -> RoundSummary:
    """One round over the open runs of one transform. Raises GlueUnavailable, LedgerUnavailable."""
    waiting = [run for run in runs if run.status is Status.QUEUED]
    under_way = [run for run in runs if run.task_tag is not None]
    now = deps.clock()
    others = _whole([run for run in runs if run.status is not Status.QUEUED and run.task_tag is None], deps)
    seen = _look([run for run in runs if run.status is not Status.QUEUED or run.search_from], deps)
    changed = [*_follow(under_way, seen, now, deps), *_settle(others, seen, now, deps)]
    started = start_queued_runs(waiting, seen, deps)
    return RoundSummary(
        transforms=1,
        changed=len(changed),
        ended=sum(run.status.is_terminal for run in changed),
        started=started,
        queued=len(waiting) - started,
    )


def _whole(runs: Sequence[OpenRun], deps: Dependencies) -> list[Run]:
    """The runs that cannot be told from the index alone. They are read before Glue is looked at, or what happens in between
    would look as if it had not.
    """
    found = []
    for run in runs:
        with suppress(Conflict):
            found.append(whole(run, deps))
    return found


def _follow(runs: Sequence[OpenRun], seen: Sequence[GlueRun], now: datetime, deps: Dependencies) -> list[Run]:
    listed = {task_tag(one.task_run_id): one for one in seen} if runs else {}
    changed = []
    for run in runs:
        with suppress(Conflict):
            if (after := track_open_run(run, listed, now, deps)) is not None:
                changed.append(_moved(after))
    return changed


def _settle(runs: Sequence[Run], seen: Sequence[GlueRun], now: datetime, deps: Dependencies) -> list[Run]:
    changed = []
    for run in runs:
        with suppress(Conflict):
            after = follow(run, seen, now, deps) if run.status in IN_GLUE else settle(run, seen, now, deps)
            if after.revision != run.revision:
                changed.append(_moved(after))
    return changed


def _moved(run: Run) -> Run:
    _log.info("RUN_STATUS_CHANGED", extra=log_fields(run))
    return run


def _look(asked: Sequence[OpenRun], deps: Dependencies) -> Sequence[GlueRun]:
    """What Glue lists of the transform since the first of `asked` was asked for; `now` was before that."""
    if not asked:
        return []
    since = min(run.search_from or run.requested_on for run in asked) - deps.policy.clock_skew
    transform_id = asked[0].transform_id
    try:
        return deps.glue.list_task_runs(transform_id, since)
    except NotFoundInGlue:
        return _nothing_if_gone(transform_id, deps)


def _nothing_if_gone(transform_id: str, deps: Dependencies) -> Sequence[GlueRun]:
    """One denial may be a slip, and would look like proof that nothing had started: the transform itself is asked for too."""
    try:
        deps.glue.get_transform(transform_id)
    except NotFoundInGlue:
        return []
    raise GlueUnavailable("the transform is there, and yet its runs are not listed")


def _safely(runs: Sequence[OpenRun], deps: Dependencies) -> RoundSummary:
    ages = _ages(runs, deps.clock())
    try:
        return reconcile_transform(runs, deps) + ages
    except LoopError as fault:
        extra = {"transformId": runs[0].transform_id, "cause": type(fault).__name__}
        _log.warning("TRANSFORM_NOT_RECONCILED", extra=extra)
    except Exception:  # noqa: BLE001  what nobody thought of in one transform must not keep all others waiting
        _log.exception("TRANSFORM_NOT_RECONCILED", extra={"transformId": runs[0].transform_id})
    queued = sum(run.status is Status.QUEUED for run in runs)
    return replace(ages, transforms=1, failed=1, queued=queued)


def _ages(runs: Sequence[OpenRun], now: datetime) -> RoundSummary:
    def oldest(*since: datetime) -> int:
        return max(0, int((now - min(since, default=now)).total_seconds()))

    return RoundSummary(
        oldest_open_seconds=oldest(*(run.requested_on for run in runs)),
        oldest_unconfirmed_seconds=oldest(
            *(run.search_from or run.requested_on for run in runs if run.status is Status.UNCONFIRMED)
        ),
        oldest_queued_seconds=oldest(*(run.requested_on for run in runs if run.status is Status.QUEUED)),
    )
