"""Longer histories, found by hypothesis: any requests, faults, deaths, cancellations and deliveries, in any order."""

from contextlib import suppress
from datetime import timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule

from core.cancel import cancel
from core.errors import LoopError
from core.runs import IN_GLUE, Status
from tests.crash.invariants import check_invariants, run_to_the_end, send, tick
from tests.crash.kill_points import kills
from tests.fakes.glue import Fault
from tests.fakes.service import Service, import_command, labeling_command

KEYS = st.sampled_from(["one", "two", "three", "four", "five"])
DEATHS = st.sampled_from(kills(5))


class Histories(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.service = Service()
        self.service.set_policy(max_queued=2)
        self.accepted: set[str] = set()

    @rule(key=KEYS, kill=DEATHS)
    def ask_for_a_labeling_set(self, key: str, kill: object) -> None:
        self._send(labeling_command(f"labeling {key}"), kill)

    @rule(key=KEYS, kill=DEATHS)
    def ask_for_an_import(self, key: str, kill: object) -> None:
        # The same file every time: only who owns which run can tell the imports apart.
        self._send(import_command(f"import {key}"), kill)

    @rule(kill=DEATHS)
    def tick(self, kill: object) -> None:
        tick(self.service, kill)  # type: ignore[arg-type]  # drawn from kills()

    @rule(seconds=st.sampled_from([1, 30, 61, 125, 600]))
    def wait(self, seconds: int) -> None:
        self.service.clock.pass_seconds(seconds)

    @rule(fault=st.sampled_from(Fault))
    def let_a_start_fail(self, fault: Fault) -> None:
        self.service.glue.faults.append(fault)

    @rule(late=st.booleans())
    def list_new_runs(self, late: bool) -> None:  # noqa: FBT001  drawn by hypothesis
        self.service.glue.listing_delay = timedelta(seconds=60 if late else 0)

    @precondition(lambda self: any(one.status in IN_GLUE for one in self.service.glue.all_task_runs()))
    @rule(status=st.sampled_from([Status.RUNNING, Status.SUCCEEDED, Status.FAILED, Status.TIMEOUT]), data=st.data())
    def get_on(self, status: Status, data: st.DataObject) -> None:
        running = [one.task_run_id for one in self.service.glue.all_task_runs() if one.status in IN_GLUE]
        self.service.glue.set_status(data.draw(st.sampled_from(running)), status)

    @precondition(lambda self: self.service.ledger.items)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        with suppress(LoopError):
            cancel(data.draw(st.sampled_from(sorted(self.service.ledger.items))), self.service.deps)

    @rule()
    def deliver(self) -> None:
        self.service.deliver()

    @rule(is_down=st.booleans())
    def take_the_bus(self, is_down: bool) -> None:  # noqa: FBT001  drawn by hypothesis
        self.service.bus.is_down = is_down

    def teardown(self) -> None:
        self.service.bus.is_down = False
        self.service.glue.faults.clear()
        self.service.deliver()
        run_to_the_end(self.service)
        check_invariants(self.service, accepted=self.accepted)

    def _send(self, order: object, kill: object) -> None:
        before = set(self.service.ledger.items)
        if send(self.service, order, kill):  # type: ignore[arg-type]  # drawn from kills()
            self.accepted |= set(self.service.ledger.items) - before


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=150, stateful_step_count=40, deadline=None, derandomize=True)
