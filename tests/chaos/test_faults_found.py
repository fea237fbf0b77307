"""What the harness found, one small test each, so that it stays mended."""

from collections.abc import Sequence
from datetime import datetime

from core.errors import UnknownToGlue
from core.ports import GlueRun
from core.runs import Status
from tests.fakes.glue import FakeGlue, Fault
from tests.fakes.loop import Loop, labeling_order


class DeniesOnce(FakeGlue):
    """Says once that there is no such transform, although there is: Glue is not consistent at every moment."""

    denies = True

    def runs(self, transform_id: str, since: datetime) -> list[GlueRun]:
        if self.denies:
            self.denies = False
            raise UnknownToGlue("Cannot find MLTransform")
        return super().runs(transform_id, since)


def test_a_look_up_that_denies_the_transform_once_is_no_licence_to_start_again() -> None:
    loop = Loop()
    loop.glue = DeniesOnce(loop.clock)
    loop.glue.faults.append(Fault.LOST_AFTER)
    run = loop.run_of(labeling_order())
    loop.clock.pass_seconds(loop.policy.confirm_after.total_seconds() + 1)
    loop.reconcile()
    loop.reconcile()
    assert len(loop.glue.all()) == 1
    assert loop.now(run).status in in_glue(loop.glue.all())


def in_glue(runs: Sequence[GlueRun]) -> set[Status]:
    return {run.status for run in runs}
