"""The line in front of a transform, in every ledger: who has to wait, who may pass, how many may wait."""

from dataclasses import replace

import pytest

from core.errors import Conflict, QueueBlocked, QueueLimitReached
from core.ports import Ledger
from core.runs import Run, Status
from tests.contract.runs import importing, labeling, turn

ON_ITS_WAY = [Status.RESERVED, Status.UNCONFIRMED, Status.STARTING, Status.RUNNING, Status.STOPPING]


def untouched(ledger: Ledger, run: Run) -> bool:
    return ledger.get(run.id) == (run if run.revision else None)


def test_labeling_sets_go_side_by_side(ledger: Ledger) -> None:
    for number in range(5):
        ledger.write(None, labeling(number))


@pytest.mark.parametrize("kind", [labeling, importing])
@pytest.mark.parametrize("waits", [labeling, importing])
def test_a_new_request_does_not_pass_who_waits(ledger: Ledger, waits: type, kind: type) -> None:
    ledger.write(None, waits(1, Status.QUEUED))
    newcomer = kind(2)
    with pytest.raises(QueueBlocked):
        ledger.write(None, newcomer)
    assert untouched(ledger, newcomer)
    ledger.write(None, kind(2, transform_id="tfm-2"))


@pytest.mark.parametrize("status", ON_ITS_WAY)
def test_an_open_import_keeps_the_next_one_out(ledger: Ledger, status: Status) -> None:
    ledger.write(None, importing(1, status))
    with pytest.raises(QueueBlocked):
        ledger.write(None, importing(2))
    ledger.write(None, labeling(3))
    ledger.write(None, importing(4, transform_id="tfm-2"))


@pytest.mark.parametrize("ending", [status for status in Status if status.is_terminal])
def test_an_import_that_is_over_lets_the_next_one_in(ledger: Ledger, ending: Status) -> None:
    turn(ledger, ledger.write(None, importing(1)), ending)
    ledger.write(None, importing(2))


def test_an_erased_import_lets_the_next_one_in(ledger: Ledger) -> None:
    ledger.erase(ledger.write(None, importing(1)))
    ledger.write(None, importing(2))


def test_an_import_that_goes_back_to_the_queue_lets_nobody_pass(ledger: Ledger) -> None:
    first = turn(ledger, ledger.write(None, importing(1)), Status.QUEUED)
    with pytest.raises(QueueBlocked):
        ledger.write(None, importing(2))
    second = ledger.write(None, importing(2, Status.QUEUED))
    with pytest.raises(QueueBlocked):
        turn(ledger, second, Status.RESERVED)
    turn(ledger, first, Status.RESERVED)


def test_an_import_may_be_sent_again_when_the_way_is_free(ledger: Ledger) -> None:
    refused = turn(ledger, ledger.write(None, importing(1)), Status.REFUSED)
    blocking = ledger.write(None, importing(2))
    with pytest.raises(QueueBlocked):
        turn(ledger, refused, Status.RESERVED)
    assert untouched(ledger, refused)
    turn(ledger, blocking, Status.SUCCEEDED)
    turn(ledger, refused, Status.RESERVED)


@pytest.mark.parametrize("kind", [labeling, importing])
def test_of_one_kind_the_oldest_leaves_the_line_first(ledger: Ledger, kind: type) -> None:
    young, old = (ledger.write(None, kind(number, Status.QUEUED)) for number in (2, 1))
    with pytest.raises(QueueBlocked):
        turn(ledger, young, Status.RESERVED)
    assert untouched(ledger, young)
    turn(ledger, old, Status.RESERVED, Status.SUCCEEDED)
    turn(ledger, young, Status.RESERVED)


def test_a_labeling_set_may_pass_a_blocked_import_in_the_line(ledger: Ledger) -> None:
    running = ledger.write(None, importing(1))
    blocked, behind = ledger.write(None, importing(2, Status.QUEUED)), ledger.write(None, labeling(3, Status.QUEUED))
    with pytest.raises(QueueBlocked):
        turn(ledger, blocked, Status.RESERVED)
    turn(ledger, behind, Status.RESERVED)
    turn(ledger, running, Status.SUCCEEDED)
    turn(ledger, blocked, Status.RESERVED)


@pytest.mark.parametrize("ending", [Status.CANCELLED, Status.START_FAILED])
def test_who_ends_in_the_line_leaves_it_from_any_place(ledger: Ledger, ending: Status) -> None:
    runs = [ledger.write(None, labeling(number, Status.QUEUED)) for number in range(3)]
    turn(ledger, runs[1], ending)
    turn(ledger, runs[0], Status.RESERVED)
    turn(ledger, runs[2], Status.RESERVED)
    ledger.write(None, labeling(9))


def test_who_leaves_without_being_asked_of_glue_leaves_whatever_import_is_open(ledger: Ledger) -> None:
    ledger.write(None, importing(1))
    turn(ledger, ledger.write(None, importing(2, Status.QUEUED)), Status.CANCELLED)


@pytest.mark.parametrize("most", [0, 1, 3])
def test_a_line_has_as_many_places_as_it_is_told(ledger: Ledger, most: int) -> None:
    for number in range(most):
        ledger.write(None, labeling(number, Status.QUEUED), max_waiting=most)
    one_too_many = labeling(9, Status.QUEUED)
    with pytest.raises(QueueLimitReached):
        ledger.write(None, one_too_many, max_waiting=most)
    assert untouched(ledger, one_too_many)


def test_who_was_in_the_line_before_may_go_back_although_it_is_full(ledger: Ledger) -> None:
    runs = [ledger.write(None, labeling(number, Status.QUEUED), max_waiting=2) for number in range(2)]
    taken = turn(ledger, runs[0], Status.RESERVED)
    ledger.write(None, labeling(2, Status.QUEUED), max_waiting=2)
    back = turn(ledger, taken, Status.QUEUED)
    turn(ledger, back, Status.RESERVED)


def test_a_full_line_keeps_an_import_open_that_could_not_join_it(ledger: Ledger) -> None:
    ledger.write(None, labeling(0, Status.QUEUED), max_waiting=1)
    holding = ledger.write(None, importing(1, Status.UNCONFIRMED))
    with pytest.raises(QueueLimitReached):
        ledger.write(holding, replace(holding, status=Status.QUEUED), max_waiting=1)
    assert untouched(ledger, holding)


def test_whose_view_is_stale_hears_of_that_and_not_of_the_line(ledger: Ledger) -> None:
    first = ledger.write(None, importing(1))
    with pytest.raises(Conflict) as conflict:
        ledger.write(None, importing(1))
    assert conflict.value.current == first


def test_a_stale_view_does_not_touch_the_line(ledger: Ledger) -> None:
    run = ledger.write(None, labeling(1, Status.QUEUED))
    turn(ledger, run, Status.RESERVED)
    with pytest.raises(Conflict):
        turn(ledger, run, Status.RESERVED)
    with pytest.raises(Conflict):
        ledger.write(None, labeling(1, Status.QUEUED))
    ledger.write(None, labeling(2))
