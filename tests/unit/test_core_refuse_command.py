"""A command that can never be carried out is on record, once, with what it said."""

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


def only(service: Service) -> Run:
    (run,) = service.ledger.items.values()
    return run


def test_a_bad_command_ends_in_its_event(service: Service) -> None:
    refuse_command(COMMAND, service.deps)
    service.deliver()
    run = only(service)
    reason = "#/transformId is required; #/inputS3Path is not allowed here"
    assert (run.status, run.error) == (Status.REFUSED, RunError("INVALID_COMMAND", reason))
    assert (run.requested_by, run.path, run.transform_id) == (COMMAND.caller, COMMAND.path, None)
    assert service.bus.detail_types() == ["TaskRunRefused"]
    assert service.bus.events[0].detail.metadata.causation_id == "m-1"
    assert not service.glue.calls


def test_delivered_again_it_is_the_same_refusal(service: Service) -> None:
    refuse_command(COMMAND, service.deps)
    first = only(service)
    refuse_command(COMMAND, service.deps)
    service.deliver()
    assert only(service) == first
    assert service.bus.detail_types() == ["TaskRunRefused"]


def test_two_bad_commands_are_two_refusals(service: Service) -> None:
    refuse_command(COMMAND, service.deps)
    refuse_command(replace(COMMAND, causation_id="m-2"), service.deps)
    assert len(service.ledger.items) == 2


def test_a_refusal_takes_no_callers_key(service: Service) -> None:
    order = replace(labeling_command("m-1"), caller=COMMAND.caller)
    refuse_command(COMMAND, service.deps)
    assert not service.start(order).replayed


def test_a_ledger_that_is_away_lets_the_command_be_delivered_again(service: Service) -> None:
    def away(*_: object) -> Run:
        raise LedgerUnavailable

    service.ledger.write = away  # type: ignore[method-assign,assignment]  # the fault under test
    with pytest.raises(LedgerUnavailable):
        refuse_command(COMMAND, service.deps)
