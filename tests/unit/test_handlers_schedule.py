"""One tick of the schedule, in one part or in several."""

from types import SimpleNamespace
from typing import Any

import pytest

from core.errors import PartNotInvoked
from core.open_runs import shard_of
from core.rounds import ALL_SHARDS, Part
from handlers import schedule, wiring
from tests.fakes.service import Service, labeling_command

NAMES = [f"tfm-{number}" for number in range(30)]
PLENTY_MILLISECONDS = 300_000


class OtherInvocations:
    """Records the events that the function invokes itself with; those of the parts in `failing` cannot be invoked."""

    def __init__(self) -> None:
        self.events: list[dict[str, int]] = []
        self.failing: set[int] = set()

    def invoke(self, event: dict[str, int]) -> None:
        if event["part"] in self.failing:
            raise PartNotInvoked("throttled")
        self.events.append(event)


@pytest.fixture
def others(monkeypatch: pytest.MonkeyPatch) -> OtherInvocations:
    invocations = OtherInvocations()
    monkeypatch.setattr(wiring, "own_function", lambda _: invocations)
    return invocations


@pytest.fixture(autouse=True)
def _many_transforms(service: Service) -> None:
    service.glue.task_runs |= {name: [] for name in NAMES}
    for name in NAMES:
        service.start(labeling_command(transform_id=name, caller=name))


def invoke(service: Service, event: dict[str, Any], milliseconds: int = PLENTY_MILLISECONDS) -> dict[str, int]:
    context: Any = SimpleNamespace(get_remaining_time_in_millis=lambda: milliseconds)
    return schedule.handler(event, context, service.deps)


def of_part(part: Part) -> int:
    return sum(shard_of(name) in part.shards for name in NAMES)


def test_tick_goes_through_all_transforms_alone_by_default(service: Service, others: OtherInvocations) -> None:
    assert invoke(service, {"source": "aws.scheduler"})["transforms"] == len(NAMES)
    assert others.events == []


def test_tick_shares_the_round_among_its_parts(
    service: Service, others: OtherInvocations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECONCILE_PARTS", "4")
    own = invoke(service, {})["transforms"]
    assert others.events == [{"part": number, "parts": 4} for number in (1, 2, 3)]
    by_others = [invoke(service, event)["transforms"] for event in others.events]
    assert [own, *by_others] == [of_part(Part(number, 4)) for number in range(4)]
    assert own + sum(by_others) == len(NAMES)
    assert len(others.events) == 3  # a part invokes nobody


def test_part_that_cannot_be_invoked_is_an_error_after_the_own_part(
    service: Service, others: OtherInvocations, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECONCILE_PARTS", "3")
    others.failing = {1}
    service.glue.finish_all()
    with pytest.raises(PartNotInvoked):
        invoke(service, {})
    assert others.events == [{"part": 2, "parts": 3}]
    assert sum(run.status.is_terminal for run in service.ledger.items.values()) == of_part(Part(0, 3))


def test_without_time_left_nothing_is_begun_and_the_place_is_kept(service: Service) -> None:
    assert invoke(service, {}, milliseconds=59_999)["transforms"] == 0
    assert service.ledger.checkpoint(str(ALL_SHARDS)) is not None


@pytest.mark.parametrize("event", [{"part": 4, "parts": 4}, {"part": -1, "parts": 4}, {"part": 0, "parts": 17}])
def test_part_that_does_not_exist_is_rejected(service: Service, event: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at most 16 parts"):
        invoke(service, event)


@pytest.mark.parametrize("parts", ["0", "17", "many"])
def test_setting_that_names_no_number_of_parts_is_rejected(
    service: Service, monkeypatch: pytest.MonkeyPatch, parts: str
) -> None:
    monkeypatch.setenv("RECONCILE_PARTS", parts)
    with pytest.raises(ValueError, match="RECONCILE_PARTS"):
        invoke(service, {})
