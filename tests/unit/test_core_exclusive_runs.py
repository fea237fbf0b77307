"""Imports, evaluations and exports of a transform run one at a time, in the order of acceptance."""

import pytest

from core.requests import StartCommand
from core.runs import IN_GLUE, Run, Status, WaitingReason
from tests.fakes.glue import Fault
from tests.fakes.service import Service, evaluation_command, export_command, import_command, labeling_command


@pytest.fixture(autouse=True)
def _labels(service: Service) -> None:
    """Without labels, Glue neither evaluates nor exports."""
    service.glue.label_count = 30


def start_all(service: Service, *commands: StartCommand) -> list[Run]:
    return [service.start_run(command) for command in commands]


def run_all(service: Service) -> list[str]:
    """Let everything end, and return the types of the task runs in the order in which Glue started them."""
    for _ in range(10):
        service.reconcile()
        assert sum(run.status in IN_GLUE and run.task_type != "LABELING_SET_GENERATION" for run in open_runs(service)) <= 1
        service.glue.finish_all()
    assert not list(service.ledger.open_runs())
    return [task_run.task_type for task_run in service.glue.all_task_runs()]


def open_runs(service: Service) -> list[Run]:
    return [run for run in service.ledger.items.values() if not run.status.is_terminal]


@pytest.mark.parametrize("command", [evaluation_command("second"), export_command("second"), import_command("second")])
@pytest.mark.parametrize("first", [evaluation_command("first"), export_command("first"), import_command("first")])
def test_second_exclusive_run_waits_for_the_first(service: Service, first: StartCommand, command: StartCommand) -> None:
    running, waiting = start_all(service, first, command)
    assert (running.status, waiting.status) == (Status.STARTING, Status.QUEUED)
    assert waiting.waiting_reason is WaitingReason.OPEN_IMPORT
    service.reconcile()
    assert service.reload(waiting).status is Status.QUEUED
    service.glue.finish_all()
    service.reconcile()
    assert service.reload(waiting).status is Status.STARTING


def test_each_sees_the_labels_of_what_was_accepted_before_it_and_of_nothing_after_it(service: Service) -> None:
    start_all(
        service,
        import_command("1"),
        evaluation_command("2"),
        import_command("3", replaces=True),
        export_command("4"),
        evaluation_command("5"),
    )
    assert run_all(service) == ["IMPORT_LABELS", "EVALUATION", "IMPORT_LABELS", "EXPORT_LABELS", "EVALUATION"]


def test_labeling_set_passes_a_blocked_evaluation(service: Service) -> None:
    _, blocked, labeling = start_all(service, import_command(), evaluation_command("2"), labeling_command("3"))
    service.reconcile()
    assert service.reload(labeling).status is Status.STARTING
    assert service.reload(blocked).status is Status.QUEUED


@pytest.mark.parametrize("fault", [Fault.LOST_AFTER, Fault.LOST_BEFORE])
def test_unconfirmed_evaluation_holds_back_the_next_one_until_it_is_settled(service: Service, fault: Fault) -> None:
    service.glue.faults = [fault]
    lost, waiting = start_all(service, evaluation_command("lost"), evaluation_command("waiting"))
    assert (lost.status, waiting.status) == (Status.UNCONFIRMED, Status.QUEUED)
    for _ in range(4):
        service.clock.pass_seconds(200)
        service.reconcile()
        service.glue.finish_all()
    service.reconcile()
    ended = [service.reload(lost), service.reload(waiting)]
    assert [run.status for run in ended] == [Status.SUCCEEDED, Status.SUCCEEDED]
    assert len({run.task_run_id for run in ended}) == len(service.glue.all_task_runs()) == 2


@pytest.mark.parametrize(
    ("command", "code"), [(evaluation_command(), "MLTransformNotReadyException"), (export_command(), "NO_LABELS")]
)
def test_without_labels_it_is_refused_and_may_be_requested_again(service: Service, command: StartCommand, code: str) -> None:
    service.glue.label_count = 0
    refused = service.start_run(command)
    assert (refused.status, refused.error and refused.error.code) == (Status.REFUSED, code)
    service.glue.label_count = 30
    assert service.start_run(command._replace(causation_id="sent again")).status is Status.STARTING
