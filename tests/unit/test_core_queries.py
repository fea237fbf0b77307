"""Callers are apart."""

import pytest

from core.errors import UnknownRun
from core.ports import RunFilter
from core.queries import find, listing
from tests.fakes.loop import Loop, labeling_order


def test_nobody_sees_anothers_run() -> None:
    loop = Loop()
    run = loop.run_of(labeling_order(caller="alice"))
    assert find(run.id, "alice", loop.world).id == run.id
    with pytest.raises(UnknownRun):
        find(run.id, "bob", loop.world)
    assert [one.id for one in listing(RunFilter(), "alice", 10, None, loop.world).items] == [run.id]
    assert listing(RunFilter(), "bob", 10, None, loop.world).items == ()


def test_an_operator_may_share_them() -> None:
    loop = Loop()
    loop.set_policy(share_runs=True)
    run = loop.run_of(labeling_order(caller="alice"))
    assert find(run.id, "bob", loop.world).id == run.id
    assert [one.id for one in listing(RunFilter(), "bob", 10, None, loop.world).items] == [run.id]
