"""Start once: what a caller gets back, and what Glue was asked."""

from datetime import timedelta

import pytest

from core.errors import InvalidRequest, KeyReused, QueueFull, StillInFlight, TryAgainLater
from core.requests import StartCommand
from core.runs import Status, run_id
from tests.fakes.glue import Fault
from tests.fakes.loop import Loop, import_command, labeling_command

EVERY_ORDER = pytest.mark.parametrize("order", [labeling_command(), import_command()], ids=["labeling", "import"])


@EVERY_ORDER
def test_a_new_request_starts_one_run(loop: Loop, order: StartCommand) -> None:
    accepted = loop.start(order)
    (started,) = loop.glue.all()
    assert (accepted.run.status, accepted.replayed) == (Status.STARTING, False)
    assert (accepted.run.id, accepted.run.task_run_id) == (run_id("alice", "key"), started.task_run_id)
    assert started.path == accepted.run.path
    assert loop.now(accepted.run) == accepted.run


def test_a_new_request_takes_two_writes_and_one_question(loop: Loop) -> None:
    loop.start(labeling_command())
    assert [after.status for _, after in loop.ledger.changes] == [Status.RESERVED, Status.STARTING]
    assert loop.glue.calls == ["start"]


@EVERY_ORDER
def test_the_same_request_again_gets_the_run_as_it_stands_now(loop: Loop, order: StartCommand) -> None:
    first = loop.run_of(order)
    loop.glue.finish_all()
    loop.reconcile()
    again = loop.start(order)
    assert again.replayed
    assert (again.run.id, again.run.status) == (first.id, Status.SUCCEEDED)
    assert len(loop.glue.all()) == 1


def test_a_replay_writes_nothing_and_asks_nothing(loop: Loop) -> None:
    loop.start(labeling_command())
    before, asked = list(loop.ledger.changes), list(loop.glue.calls)
    loop.start(labeling_command())
    assert (loop.ledger.changes, loop.glue.calls) == (before, asked)


@pytest.mark.parametrize(
    "other",
    [
        import_command(replaces=True),
        import_command(transform_id="tfm-2"),
        import_command(path="s3://bucket/x.csv"),
        labeling_command(),
    ],
    ids=["replaceAllLabels", "transform", "path", "kind"],
)
def test_the_same_key_with_another_payload_is_an_error(loop: Loop, other: StartCommand) -> None:
    loop.start(import_command())
    with pytest.raises(KeyReused):
        loop.start(other)
    assert len(loop.glue.all()) == 1


def test_the_same_key_of_another_caller_is_another_request(loop: Loop) -> None:
    hers, his = loop.start(labeling_command(caller="alice")), loop.start(labeling_command(caller="bob"))
    assert not his.replayed
    assert hers.run.id != his.run.id
    assert len({one.path for one in loop.glue.all()}) == 2


def test_a_forbidden_path_leaves_no_trace(loop: Loop) -> None:
    with pytest.raises(InvalidRequest):
        loop.start(import_command(path="s3://elsewhere/one.csv"))
    assert not loop.ledger.items
    assert not loop.glue.calls


def test_an_unknown_transform_is_on_record_as_refused(loop: Loop) -> None:
    run = loop.run_of(labeling_command(transform_id="tfm-none"))
    assert run.status is Status.REFUSED
    assert run.error is not None
    assert run.error.code == "EntityNotFoundException"
    assert run.completed_on is not None
    assert loop.now(run) == run


def test_glues_no_is_on_record_as_refused(loop: Loop) -> None:
    loop.glue.faults = [Fault.REFUSED]
    run = loop.run_of(labeling_command())
    assert (run.status, run.error and run.error.code) == (Status.REFUSED, "InvalidInputException")


@pytest.mark.parametrize("fault", [Fault.LOST_AFTER, Fault.LOST_BEFORE])
@EVERY_ORDER
def test_a_lost_answer_leaves_the_run_unconfirmed_and_is_not_asked_again(loop: Loop, order: StartCommand, fault: Fault) -> None:
    loop.glue.faults = [fault]
    run = loop.run_of(order)
    assert (run.status, run.task_run_id) == (Status.UNCONFIRMED, None)
    assert loop.start(order).run.status is Status.UNCONFIRMED
    assert loop.glue.calls == ["start"]


@EVERY_ORDER
def test_a_throttle_leaves_the_ledger_as_it_was(loop: Loop, order: StartCommand) -> None:
    loop.glue.faults = [Fault.THROTTLED]
    with pytest.raises(TryAgainLater):
        loop.start(order)
    assert not loop.ledger.items
    assert all(not line.waiting and line.importing is None for line in loop.ledger.lines.values())


@EVERY_ORDER
def test_after_a_throttle_the_same_key_starts_the_run(loop: Loop, order: StartCommand) -> None:
    loop.glue.faults = [Fault.THROTTLED]
    with pytest.raises(TryAgainLater):
        loop.start(order)
    again = loop.start(order)
    assert (again.run.status, again.run.attempt, again.replayed) == (Status.STARTING, 1, False)


def test_at_glues_limit_the_request_is_queued(loop: Loop) -> None:
    loop.glue.limit = 1
    loop.start(labeling_command("first"))
    run = loop.run_of(labeling_command("second"))
    assert (run.status, run.asked_on, run.lease_until) == (Status.QUEUED, None, None)
    assert loop.now(run) == run


def test_who_comes_later_queues_up_without_asking_glue(loop: Loop) -> None:
    loop.glue.limit = 1
    for key in ("first", "second"):
        loop.start(labeling_command(key))
    loop.glue.finish_all()
    loop.glue.calls.clear()
    assert loop.run_of(labeling_command("third")).status is Status.QUEUED
    assert not loop.glue.calls


@pytest.mark.parametrize("most", [0, 1, 3])
def test_a_full_queue_accepts_nothing_more(loop: Loop, most: int) -> None:
    loop.set_policy(max_queued=most)
    loop.glue.limit = 1
    for number in range(1 + most):
        loop.start(labeling_command(f"key-{number}"))
    for _ in range(2):
        with pytest.raises(QueueFull):
            loop.start(labeling_command("one too many"))
    assert run_id("alice", "one too many") not in loop.ledger.items
    assert len(loop.ledger.lines["tfm-1"].waiting) == most


def test_a_full_queue_still_answers_replays(loop: Loop) -> None:
    loop.set_policy(max_queued=1)
    loop.glue.limit = 1
    for key in ("first", "second"):
        loop.start(labeling_command(key))
    assert loop.start(labeling_command("first")).replayed
    assert loop.start(labeling_command("second")).run.status is Status.QUEUED


def test_each_transform_has_a_queue_of_its_own(loop: Loop) -> None:
    loop.glue.limit = 1
    for key in ("first", "second"):
        loop.start(labeling_command(key))
    assert loop.run_of(labeling_command("third", transform_id="tfm-2")).status is Status.STARTING


def test_a_slow_process_does_not_ask_any_more(loop: Loop) -> None:
    reserve = loop.ledger.write

    def slowly(*arguments: object, **options: object) -> object:
        written = reserve(*arguments, **options)  # type: ignore[arg-type]  # passed on as they came
        loop.clock.pass_seconds(loop.policy.ask_within.total_seconds())
        return written

    loop.ledger.write = slowly  # type: ignore[method-assign,assignment]  # a slow network
    run = loop.run_of(labeling_command())
    assert run.status is Status.UNCONFIRMED
    assert not loop.glue.calls


def test_whoever_may_still_ask_has_stopped_before_somebody_else_looks(loop: Loop) -> None:
    assert loop.policy.ask_within + timedelta(seconds=20) < loop.policy.lease  # one call's bounds: handlers.wiring


def test_a_request_in_flight_is_not_started_again(loop: Loop) -> None:
    seen: list[Exception] = []
    start_in_glue = loop.glue.start

    def meanwhile(run: object) -> str:
        with pytest.raises(StillInFlight) as conflict:
            loop.start(labeling_command())
        seen.append(conflict.value)
        return start_in_glue(run)  # type: ignore[arg-type]  # passed on as it came

    loop.glue.start = meanwhile  # type: ignore[method-assign]  # a second request while the first is with Glue
    assert loop.run_of(labeling_command()).status is Status.STARTING
    assert len(seen) == len(loop.glue.all()) == 1


def test_who_sends_another_payload_while_the_first_is_in_flight_hears_of_the_payload(loop: Loop) -> None:
    start_in_glue = loop.glue.start

    def meanwhile(run: object) -> str:
        with pytest.raises(KeyReused):
            loop.start(labeling_command(output="s3://bucket/elsewhere"))
        return start_in_glue(run)  # type: ignore[arg-type]  # passed on as it came

    loop.glue.start = meanwhile  # type: ignore[method-assign]  # a second request while the first is with Glue
    assert loop.run_of(labeling_command()).status is Status.STARTING
