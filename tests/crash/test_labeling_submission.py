"""Kill the label function before and after each AWS call of a submission, and send the same labels again."""

from contextlib import suppress
from itertools import product

import pytest

from core.runs import Status
from tests.crash.kill_points import Kill, Killed, killable_labeling, kills
from tests.fakes.glue import Fault
from tests.fakes.labeling_room import Answer, LabelingRoom

ANSWERS: dict[str, object] = {"0": 1, "1": 1, "2": "alone", "3": 1, "4": 1}
MAX_CALLS = 20  # a submission makes fewer, which the test below checks
KILLS = kills(MAX_CALLS)
SITUATIONS = [None, Fault.LOST_AFTER, Fault.LOST_BEFORE, Fault.THROTTLED, "limit"]
WAITS = [0, 61]  # seconds until the labels are sent again: within the lease of a reservation, and after it


@pytest.mark.parametrize("situation", SITUATIONS, ids=str)
def test_a_submission_that_is_killed_and_sent_again_is_one_import_one_file_and_one_event(situation: Fault | str | None) -> None:
    cases = list(product(KILLS, WAITS))
    for kill, wait in cases:
        try:
            _one_case(situation, kill, wait)
        except AssertionError as broken:
            broken.add_note(f"killed {kill}, sent again after {wait} s")
            raise
    assert len(cases) == 82


def test_a_submission_makes_fewer_calls_than_are_killed() -> None:
    room, token, etag = _ready()
    assert _submit(room, token, etag, Kill(MAX_CALLS, is_after=False)) is not None


def test_every_kill_before_the_last_call_is_noticed() -> None:
    """Proof that the first test kills anything."""
    room, token, etag = _ready()
    assert _submit(room, token, etag, Kill(8, is_after=True)) is None


def _one_case(situation: Fault | str | None, kill: Kill | None, wait: float) -> None:
    room, token, etag = _ready()
    if isinstance(situation, Fault):
        room.service.glue.faults = [situation]
    if situation == "limit":
        room.service.glue.limit = 0
    _submit(room, token, etag, kill)
    room.service.clock.pass_seconds(wait)
    room.service.glue.limit = 3
    for _ in range(5):  # the labeler clicks again, until it is accepted
        answer = _submit(room, token, etag, None)
        assert answer is not None
        if answer.status == 202:
            break
        assert answer.status in (409, 503), answer
        room.service.clock.pass_seconds(61)
    for _ in range(4):
        room.service.clock.pass_seconds(130)
        room.service.reconcile()
        room.service.glue.finish_all()
    room.service.reconcile()
    (run,) = room.imports()
    assert run.status is Status.SUCCEEDED
    assert len([task for task in room.service.glue.all_task_runs() if task.task_type == "IMPORT_LABELS"]) == 1
    assert room.objects.writes == [run.path]
    events = {event.detail.metadata.event_id for event in room.service.bus.events if event.detail_type == "LabelsSubmitted"}
    assert len(events) == 1
    shown = room.call("GET", "/submission", token).body["submission"]
    assert (shown["taskRunId"], shown["status"]) == (run.id, "SUCCEEDED")


def _ready() -> tuple[LabelingRoom, str, str]:
    """A set that is answered, the token of its labeler's link, and the ETag of the answers."""
    room = LabelingRoom()
    token = room.token()
    room.save(token, ANSWERS)
    return room, token, room.etag(token)


def _submit(room: LabelingRoom, token: str, etag: str, kill: Kill | None) -> Answer | None:
    """None if the process was killed."""
    with suppress(Killed):
        return room.call("POST", "/submission", token, {}, etag=etag, deps=killable_labeling(room.deps, kill))
    return None
