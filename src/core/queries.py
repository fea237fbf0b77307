"""Look at runs: each caller at its own, unless the operator lets all see all."""

from dataclasses import replace

from core.errors import RunNotFound
from core.ports import Dependencies, RunFilter, RunPage
from core.runs import Run


def get_run(run_id: str, caller: str, deps: Dependencies) -> Run:
    """The run as it stands now. Raises RunNotFound, also for another caller's run; LedgerUnavailable."""
    run = deps.ledger.get(run_id)
    if run is None or not (deps.policy.share_runs or run.requested_by == caller):
        raise RunNotFound(f"There is no task run {run_id}.")
    return run


def list_runs(which: RunFilter, caller: str, limit: int, cursor: str | None, deps: Dependencies) -> RunPage:
    """Up to `limit` of the runs that `caller` may see, newest first. Raises InvalidCursor, LedgerUnavailable."""
    mine = which if deps.policy.share_runs else replace(which, requested_by=caller)
    return deps.ledger.list_runs(mine, limit, cursor)
