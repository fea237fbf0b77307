"""Which runs a caller sees."""

import pytest

from core.errors import RunNotFound
from core.ports import RunFilter
from core.queries import get_run, list_runs
from tests.fakes.service import Service, labeling_command


def test_callers_do_not_see_each_others_runs() -> None:
    service = Service()
    run = service.start_run(labeling_command(caller="alice"))
    assert get_run(run.id, "alice", service.deps).id == run.id
    with pytest.raises(RunNotFound):
        get_run(run.id, "bob", service.deps)
    assert [run.id for run in list_runs(RunFilter(), "alice", 10, None, service.deps).items] == [run.id]
    assert list_runs(RunFilter(), "bob", 10, None, service.deps).items == ()


def test_shared_runs_are_visible_to_all_callers() -> None:
    service = Service()
    service.set_policy(share_runs=True)
    run = service.start_run(labeling_command(caller="alice"))
    assert get_run(run.id, "bob", service.deps).id == run.id
    assert [run.id for run in list_runs(RunFilter(), "bob", 10, None, service.deps).items] == [run.id]


def test_only_operators_see_all_runs() -> None:
    service = Service()
    service.set_policy(operators=frozenset({"olga"}))
    run = service.start_run(labeling_command(caller="s3:bucket"))
    assert get_run(run.id, "olga", service.deps).id == run.id
    assert [run.id for run in list_runs(RunFilter(), "olga", 10, None, service.deps).items] == [run.id]
    with pytest.raises(RunNotFound):
        get_run(run.id, "bob", service.deps)
    assert list_runs(RunFilter(), "bob", 10, None, service.deps).items == ()
