"""Kill a process before and after each AWS call, in every situation, followed by every pattern of retries."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import product

import pytest

from core.requests import StartCommand
from tests.crash.invariants import check_exports, check_invariants, run_to_the_end, send, tick
from tests.crash.kill_points import Kill, kills
from tests.fakes.glue import Fault
from tests.fakes.service import Service, evaluation_command, export_command, import_command, labeling_command

COMMANDS: dict[str, Callable[..., StartCommand]] = {
    "labeling set": labeling_command,
    "import": import_command,
    "evaluation": evaluation_command,
    "export": export_command,
    "import after export": partial(import_command, replaces=True, export_to="s3://bucket/backups"),
}
LISTED_LATE = "the response lost, and the run listed late"
SITUATIONS = [None, *Fault, LISTED_LATE, "transform at its limit", "an import is open"]
RETRIES = {
    "none": [],
    "one at once": [0],
    "one after the lease": [61],
    "five": [0, 1, 5, 30, 61],
    "one after it is settled": [400],
}
STARTER_KILLS = kills(4)
TICK_KILLS = kills(6)


@pytest.mark.parametrize("kind", COMMANDS)
@pytest.mark.parametrize("situation", SITUATIONS, ids=str)
def test_request_starts_one_run_at_every_kill_point(kind: str, situation: Fault | str | None) -> None:
    cases = list(product(STARTER_KILLS, TICK_KILLS, RETRIES.values()))
    for starter_kill, tick_kill, retry_seconds in cases:
        try:
            _one_case(kind, situation, starter_kill, tick_kill, retry_seconds)
        except AssertionError as broken:
            broken.add_note(f"starter killed {starter_kill}, reconciler killed {tick_kill}, retries after {retry_seconds} s")
            raise
    assert len(cases) == 585


def _one_case(
    kind: str, situation: Fault | str | None, starter_kill: Kill | None, tick_kill: Kill | None, retry_seconds: list[int]
) -> None:
    service = Service()
    service.glue.label_count = 30
    other_ids = _arrange(service, situation)

    def command() -> StartCommand:
        return COMMANDS[kind](key="the key")

    accepted = send(service, command(), starter_kill)
    tick(service, tick_kill)
    service.clock.pass_seconds(61)
    tick(service, tick_kill)
    service.deliver()
    for seconds in retry_seconds:
        service.clock.pass_seconds(seconds)
        accepted |= send(service, command())
        tick(service)
    run_to_the_end(service)
    service.deliver()
    run_id = next((run.id for run in service.ledger.items.values() if run.id not in other_ids), None)
    check_exports(service)
    check_invariants(service, accepted={*other_ids, *([run_id] if accepted and run_id else [])})
    assert run_id or not accepted


def _arrange(service: Service, situation: Fault | str | None) -> set[str]:
    """Set the situation up; returns the ids of the runs that it needed."""
    if isinstance(situation, Fault):
        service.glue.faults.append(situation)
    if situation == LISTED_LATE:
        service.glue.faults.append(Fault.LOST_AFTER)
        service.glue.listing_delay = service.policy.confirm_after - timedelta(seconds=20)
    if situation == "transform at its limit":
        return {service.start_run(labeling_command(key=f"other {number}")).id for number in range(3)}
    if situation == "an import is open":
        return {service.start_run(import_command(key="other", path="s3://bucket/labels/tfm-1/other.csv")).id}
    return set()
