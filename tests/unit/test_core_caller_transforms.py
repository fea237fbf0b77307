"""Which transforms each caller may name."""

import pytest

from core.caller_transforms import CallerTransforms
from core.errors import InvalidRequest
from tests.fakes.service import Service, import_command, labeling_command

TRANSFORMS = CallerTransforms({"alice": ("tfm-1", "tfm-a-*"), "bob": (), "*": ("tfm-?",)})


@pytest.mark.parametrize(
    ("caller", "transform_id"),
    [("alice", "tfm-1"), ("alice", "tfm-a-"), ("alice", "tfm-a-1"), ("carol", "tfm-2"), ("s3:bucket", "tfm-1")],
)
def test_caller_may_use_the_transforms_of_its_entry_or_of_the_star(caller: str, transform_id: str) -> None:
    TRANSFORMS.check(transform_id, caller)


@pytest.mark.parametrize(
    ("caller", "transform_id", "allowed"),
    [
        ("alice", "tfm-2", "tfm-1, tfm-a-*"),
        ("alice", "tfm-12", "tfm-1, tfm-a-*"),
        ("alice", "TFM-1", "tfm-1, tfm-a-*"),
        ("bob", "tfm-1", "none"),
        ("carol", "tfm-12", "tfm-?"),
        ("events:123456789012:shop", "tfm-a-1", "tfm-?"),
    ],
)
def test_transform_that_is_not_allowed_is_a_field_error(caller: str, transform_id: str, allowed: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        TRANSFORMS.check(transform_id, caller)
    (error,) = refused.value.errors
    assert (error.pointer, error.detail) == ("#/transformId", f"is not allowed for this caller; allowed: {allowed}")


def test_caller_without_entry_or_star_may_use_all_transforms() -> None:
    CallerTransforms({"alice": ()}).check("tfm-1", "bob")
    CallerTransforms().check("tfm-1", "bob")


@pytest.mark.parametrize("pattern", ["", "tfm 1", "tfm-[12]", "tfm-1,tfm-2", "tfm-1\n"])
def test_pattern_that_matches_no_id_is_rejected(pattern: str) -> None:
    with pytest.raises(ValueError, match="neither an id nor a pattern"):
        CallerTransforms({"alice": (pattern,)})


def test_forbidden_transform_makes_no_glue_call_and_no_item() -> None:
    service = Service()
    service.set_policy(caller_transforms=CallerTransforms({"alice": ("tfm-2",)}))
    for command in (labeling_command(), import_command(replaces=True)):
        with pytest.raises(InvalidRequest, match="#/transformId"):
            service.start(command)
    assert service.glue.calls == []
    assert service.ledger.items == {}
    service.start(labeling_command(transform_id="tfm-2"))
    service.start(labeling_command(caller="bob"))


def test_a_replay_is_returned_although_the_transform_is_no_longer_allowed() -> None:
    service = Service()
    run = service.start_run(labeling_command())
    service.set_policy(caller_transforms=CallerTransforms({"alice": ()}))
    accepted = service.start(labeling_command())
    assert (accepted.run.id, accepted.replayed) == (run.id, True)
