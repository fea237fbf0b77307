"""A command that can never be carried out is on record, once, with what it said."""

from dataclasses import replace

import pytest

from core.errors import FieldError, LedgerUnavailable
from core.refuse_command import BadCommand, refuse
from core.runs import Run, RunError, Status, TaskType
from tests.fakes.loop import Loop, labeling_command

COMMAND = BadCommand(
    caller="events:123456789012:planner",
    task_type=TaskType.IMPORT_LABELS,
    transform_id=None,
    path="s3://elsewhere/one.csv",
    code="INVALID_COMMAND",
    errors=(FieldError("#/transformId", "is required"), FieldError("#/inputS3Path", "is not allowed here")),
    correlation_id="c-1",
    causation_id="m-1",
)


def only(loop: Loop) -> Run:
    (run,) = loop.ledger.items.values()
    return run


def test_a_bad_command_ends_in_its_event(loop: Loop) -> None:
    refuse(COMMAND, loop.deps)
    loop.deliver()
    run = only(loop)
    reason = "#/transformId is required; #/inputS3Path is not allowed here"
    assert (run.status, run.error) == (Status.REFUSED, RunError("INVALID_COMMAND", reason))
    assert (run.requested_by, run.path, run.transform_id) == (COMMAND.caller, COMMAND.path, None)
    assert loop.bus.told() == ["TaskRunRefused"]
    assert loop.bus.events[0].detail.metadata.causation_id == "m-1"
    assert not loop.glue.calls


def test_delivered_again_it_is_the_same_refusal(loop: Loop) -> None:
    refuse(COMMAND, loop.deps)
    first = only(loop)
    refuse(COMMAND, loop.deps)
    loop.deliver()
    assert only(loop) == first
    assert loop.bus.told() == ["TaskRunRefused"]


def test_two_bad_commands_are_two_refusals(loop: Loop) -> None:
    refuse(COMMAND, loop.deps)
    refuse(replace(COMMAND, causation_id="m-2"), loop.deps)
    assert len(loop.ledger.items) == 2


def test_a_refusal_takes_no_callers_key(loop: Loop) -> None:
    order = replace(labeling_command("m-1"), caller=COMMAND.caller)
    refuse(COMMAND, loop.deps)
    assert not loop.start(order).replayed


def test_a_ledger_that_is_away_lets_the_command_be_delivered_again(loop: Loop) -> None:
    def away(*_: object) -> Run:
        raise LedgerUnavailable

    loop.ledger.write = away  # type: ignore[method-assign,assignment]  # the fault under test
    with pytest.raises(LedgerUnavailable):
        refuse(COMMAND, loop.deps)
