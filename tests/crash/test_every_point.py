"""A process killed at every point between AWS calls, in every situation, with every sequel that a caller may give it."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from itertools import product

import pytest

from core.requests import StartCommand
from tests.crash.killed import Kill, kills
from tests.crash.promise import check, check_exports, run_to_the_end, send, tick
from tests.fakes.glue import Fault
from tests.fakes.loop import Loop, import_command, labeling_command

ORDERS: dict[str, Callable[..., StartCommand]] = {
    "labeling set": labeling_command,
    "import": import_command,
    "import after export": partial(import_command, replaces=True, export_to="s3://bucket/backups"),
}
LISTED_LATE = "the answer lost, and the run listed late"
SITUATIONS = [None, *Fault, LISTED_LATE, "transform at its limit", "an import is open"]
SEQUELS = {
    "never again": [],
    "once, at once": [0],
    "once, when the lease is over": [61],
    "five times": [0, 1, 5, 30, 61],
    "when it is settled": [400],
}
STARTER_KILLS = kills(4)
TICK_KILLS = kills(6)


@pytest.mark.parametrize("kind", ORDERS)
@pytest.mark.parametrize("situation", SITUATIONS, ids=str)
def test_one_request_starts_one_run_whatever_dies_when(kind: str, situation: Fault | str | None) -> None:
    cases = list(product(STARTER_KILLS, TICK_KILLS, SEQUELS.values()))
    for starter_kill, tick_kill, sequel in cases:
        try:
            _one_case(kind, situation, starter_kill, tick_kill, sequel)
        except AssertionError as broken:
            broken.add_note(f"starter dies {starter_kill}, reconciler dies {tick_kill}, sent again after {sequel} s")
            raise
    assert len(cases) == 585


def _one_case(
    kind: str, situation: Fault | str | None, starter_kill: Kill | None, tick_kill: Kill | None, sequel: list[int]
) -> None:
    loop = Loop()
    loop.glue.label_count = 30
    others = _arrange(loop, situation)

    def order() -> StartCommand:
        return ORDERS[kind](key="the key")

    accepted = send(loop, order(), starter_kill)
    tick(loop, tick_kill)
    loop.clock.pass_seconds(61)
    tick(loop, tick_kill)
    loop.deliver()
    for seconds in sequel:
        loop.clock.pass_seconds(seconds)
        accepted |= send(loop, order())
        tick(loop)
    run_to_the_end(loop)
    loop.deliver()
    run_id = next((run.id for run in loop.ledger.items.values() if run.id not in others), None)
    check_exports(loop)
    check(loop, accepted={*others, *([run_id] if accepted and run_id else [])})
    assert run_id or not accepted


def _arrange(loop: Loop, situation: Fault | str | None) -> set[str]:
    """Bring the situation about; the ids of other runs that belong to it."""
    if isinstance(situation, Fault):
        loop.glue.faults.append(situation)
    if situation == LISTED_LATE:
        loop.glue.faults.append(Fault.LOST_AFTER)
        loop.glue.hidden_for = loop.policy.confirm_after - timedelta(seconds=20)
    if situation == "transform at its limit":
        return {loop.run_of(labeling_command(key=f"other {number}")).id for number in range(3)}
    if situation == "an import is open":
        return {loop.run_of(import_command(key="other", path="s3://bucket/labels/tfm-1/other.csv")).id}
    return set()
