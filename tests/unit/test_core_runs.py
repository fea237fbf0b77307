"""The id of a run, and the properties of its states."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.requests import new_run
from core.runs import IN_GLUE, Status, TaskType, run_id
from tests.fakes.service import import_command, labeling_command

VISIBLE = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=255)
CALLERS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=50)
NOW = datetime(2026, 11, 22, tzinfo=UTC)

# CONTRACT.md, "States of a task run": status -> terminal, the same key may be sent again.
STATES = {
    "RESERVED": (False, False),
    "QUEUED": (False, False),
    "UNCONFIRMED": (False, False),
    "STARTING": (False, False),
    "RUNNING": (False, False),
    "STOPPING": (False, False),
    "SUCCEEDED": (True, False),
    "FAILED": (True, False),
    "STOPPED": (True, False),
    "TIMEOUT": (True, False),
    "REFUSED": (True, True),
    "START_FAILED": (True, True),
    "CANCELLED": (True, True),
    "LOST": (True, False),
}


def test_statuses_match_the_contract() -> None:
    assert {status: (status.is_terminal, status.allows_new_attempt) for status in Status} == STATES


def test_runs_in_glue_have_glues_open_statuses() -> None:
    assert {"STARTING", "RUNNING", "STOPPING"} == IN_GLUE


def test_task_types_have_glues_names() -> None:
    assert [str(kind) for kind in TaskType] == ["LABELING_SET_GENERATION", "IMPORT_LABELS", "EVALUATION", "EXPORT_LABELS"]


@given(CALLERS, VISIBLE)
def test_run_id_is_32_hexadecimal_digits_and_always_the_same(caller: str, key: str) -> None:
    assert run_id(caller, key) == run_id(caller, key)
    assert len(run_id(caller, key)) == 32
    int(run_id(caller, key), 16)


@given(st.tuples(CALLERS, VISIBLE), st.tuples(CALLERS, VISIBLE))
def test_another_caller_or_key_has_another_run_id(left: tuple[str, str], right: tuple[str, str]) -> None:
    assert (run_id(*left) == run_id(*right)) == (left == right)


def test_caller_and_key_are_separated_in_the_run_id() -> None:
    assert run_id("alice", "bob") != run_id("aliceb", "ob")


def test_payload_does_not_depend_on_the_state_of_the_run() -> None:
    first = new_run(labeling_command(), NOW)
    later = replace(first, status=Status.SUCCEEDED, attempt=7, task_run_id="tsk-1", causation_id="another")
    assert first.has_same_payload_as(later)


@pytest.mark.parametrize(
    "right",
    [
        import_command(transform_id="tfm-2"),
        import_command(path="s3://bucket/labels/tfm-1/two.csv"),
        import_command(replaces=True),
        labeling_command(),
    ],
    ids=["transform", "path", "replaceAllLabels", "kind"],
)
def test_every_field_is_part_of_the_payload(right: object) -> None:
    run = new_run(import_command(), NOW)
    assert not run.has_same_payload_as(new_run(right, NOW))  # type: ignore[arg-type]  # parametrize loses the type
