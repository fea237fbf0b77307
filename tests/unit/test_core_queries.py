"""Callers are apart."""

import pytest

from core.errors import UnknownRun
from core.ports import RunFilter
from core.queries import find, listing
from tests.fakes.loop import Loop, labeling_command


def test_nobody_sees_anothers_run() -> None:
    loop = Loop()
    run = loop.run_of(labeling_command(caller="alice"))
    assert find(run.id, "alice", loop.deps).id == run.id
    with pytest.raises(UnknownRun):
        find(run.id, "bob", loop.deps)
    assert [one.id for one in listing(RunFilter(), "alice", 10, None, loop.deps).items] == [run.id]
    assert listing(RunFilter(), "bob", 10, None, loop.deps).items == ()


def test_an_operator_may_share_them() -> None:
    loop = Loop()
    loop.set_policy(share_runs=True)
    run = loop.run_of(labeling_command(caller="alice"))
    assert find(run.id, "bob", loop.deps).id == run.id
    assert [one.id for one in listing(RunFilter(), "bob", 10, None, loop.deps).items] == [run.id]
