"""An invalid command is recorded once, as a refused run."""

from dataclasses import replace

import pytest

from core.errors import FieldError, LedgerUnavailable
from core.refuse_command import RefusedCommand, refuse_command
from core.runs import Run, RunError, Status, TaskType
from tests.fakes.service import Service, labeling_command

COMMAND = RefusedCommand(
    caller="events:123456789012:planner",
    task_type=TaskType.IMPORT_LABELS,
    transform_id=None,
    path="s3://elsewhere/one.csv",
    code="INVALID_COMMAND",
    errors=(FieldError("#/transformId", "is required"), FieldError("#/inputS3Path", "is not allowed here")),
    correlation_id="c-1",
    causation_id="m-1",
)


def only_run(service: Service) -> Run:
    (run,) = service.ledger.items.values()
    return run


def test_invalid_command_sends_a_refused_event(service: Service) -> None:
    refuse_command(COMMAND, service.deps)
    service.deliver()
    run = only_run(service)
    reason = "#/transformId is required; #/inputS3Path is not allowed here"
    assert (run.status, run.error) == (Status.REFUSED, RunError("INVALID_COMMAND", reason))
    assert (run.requested_by, run.path, run.transform_id) == (COMMAND.caller, COMMAND.path, None)
    assert service.bus.detail_types() == ["TaskRunRefused"]
    assert service.bus.events[0].detail.metadata.causation_id == "m-1"
    assert not service.glue.calls


def test_invalid_command_delivered_twice_is_recorded_once(service: Service) -> None:
    refuse_command(COMMAND, service.deps)
    first = only_run(service)
    refuse_command(COMMAND, service.deps)
    service.deliver()
    assert only_run(service) == first
    assert service.bus.detail_types() == ["TaskRunRefused"]


def test_two_invalid_commands_are_two_refused_runs(service: Service) -> None:
    refuse_command(COMMAND, service.deps)
    refuse_command(replace(COMMAND, causation_id="m-2"), service.deps)
    assert len(service.ledger.items) == 2


def test_refused_command_does_not_use_up_an_idempotency_key(service: Service) -> None:
    command = labeling_command("m-1")._replace(caller=COMMAND.caller)
    refuse_command(COMMAND, service.deps)
    assert not service.start(command).replayed


def test_refusal_fails_while_the_ledger_is_unavailable(service: Service) -> None:
    def unavailable(*_: object) -> Run:
        raise LedgerUnavailable

    service.ledger.write = unavailable  # type: ignore[method-assign,assignment]  # the fault under test
    with pytest.raises(LedgerUnavailable):
        refuse_command(COMMAND, service.deps)
