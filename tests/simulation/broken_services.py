"""Worlds broken on purpose, the same as those of tests/chaos: a simulator that finds nothing in them would prove nothing."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from tests.simulation.clients import STARTS
from tests.simulation.schedule import Schedule


def _retry_starts(schedule: Schedule) -> None:
    """The client sends a start again if there is no response."""
    for host in schedule.hosts:
        client: Any = host.clients["glue"]
        for method in STARTS:
            send = getattr(client, method)
            client.__dict__[method] = partial(_twice, send)


def _twice(send: Callable[..., Any], **parameters: Any) -> Any:  # noqa: ANN401  botocore's own parameters
    try:
        return send(**parameters)
    except Exception:  # noqa: BLE001  as the SDK does, for any of them
        return send(**parameters)


def _find_no_runs(schedule: Schedule) -> None:
    """A look-up finds nothing, so that every lost start is sent again."""
    glue: Any = schedule.environment.glue
    glue.get_ml_task_runs = lambda **_: {"TaskRuns": []}


def _ignore_conditions(schedule: Schedule) -> None:
    schedule.environment.dynamodb.ignores_conditions = True


def _no_reconciler(schedule: Schedule) -> None:
    schedule.has_reconcilers = False


def _no_stream(schedule: Schedule) -> None:
    schedule.has_stream = False


BROKEN: Mapping[str, Callable[[Schedule], None]] = {
    "the client retries starts": _retry_starts,
    "starts again without a look-up": _find_no_runs,
    "the ledger has no conditions": _ignore_conditions,
    "no reconciler": _no_reconciler,
    "no stream": _no_stream,
}
