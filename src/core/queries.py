"""Read runs. A caller sees its own runs only; operators see all, and so does everybody if runs are shared."""

from core.errors import RunNotFound
from core.ports import Dependencies, RunFilter, RunPage
from core.runs import Run


def get_run(run_id: str, caller: str, deps: Dependencies) -> Run:
    """The current state of a run. Raises RunNotFound, also for another caller's run; LedgerUnavailable."""
    run = deps.ledger.get(run_id)
    if run is None or not (run.requested_by == caller or deps.policy.sees_all_runs(caller)):
        raise RunNotFound(f"There is no task run {run_id}.")
    return run


def list_runs(run_filter: RunFilter, caller: str, limit: int, cursor: str | None, deps: Dependencies) -> RunPage:
    """Up to `limit` of the runs that `caller` may see, newest first. Raises InvalidCursor, LedgerUnavailable."""
    visible = run_filter if deps.policy.sees_all_runs(caller) else run_filter._replace(requested_by=caller)
    return deps.ledger.list_runs(visible, limit, cursor)
