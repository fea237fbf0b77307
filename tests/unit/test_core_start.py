"""What a start returns to its caller, records and sends to Glue."""

from datetime import timedelta

import pytest

from core.errors import IdempotencyKeyReused, InvalidRequest, QueueFull, RequestInFlight, TryAgainLater
from core.requests import StartCommand
from core.runs import Status, run_id
from tests.fakes.glue import Fault
from tests.fakes.service import Service, import_command, labeling_command

EVERY_COMMAND = pytest.mark.parametrize("command", [labeling_command(), import_command()], ids=["labeling", "import"])


@EVERY_COMMAND
def test_new_request_starts_one_run(service: Service, command: StartCommand) -> None:
    accepted = service.start(command)
    (started,) = service.glue.all_task_runs()
    assert (accepted.run.status, accepted.replayed) == (Status.STARTING, False)
    assert (accepted.run.id, accepted.run.task_run_id) == (run_id("alice", "key"), started.task_run_id)
    assert started.path == accepted.run.path
    assert service.reload(accepted.run) == accepted.run


def test_new_request_takes_two_writes_and_one_start(service: Service) -> None:
    service.start(labeling_command())
    assert [after.status for _, after in service.ledger.changes] == [Status.RESERVED, Status.STARTING]
    assert service.glue.calls == ["start"]


@EVERY_COMMAND
def test_replay_returns_the_current_state_of_the_run(service: Service, command: StartCommand) -> None:
    first = service.start_run(command)
    service.glue.finish_all()
    service.reconcile()
    replay = service.start(command)
    assert replay.replayed
    assert (replay.run.id, replay.run.status) == (first.id, Status.SUCCEEDED)
    assert len(service.glue.all_task_runs()) == 1


def test_replay_writes_nothing_and_calls_glue_not_at_all(service: Service) -> None:
    service.start(labeling_command())
    before, calls = list(service.ledger.changes), list(service.glue.calls)
    service.start(labeling_command())
    assert (service.ledger.changes, service.glue.calls) == (before, calls)


@pytest.mark.parametrize(
    "command",
    [
        import_command(replaces=True),
        import_command(transform_id="tfm-2"),
        import_command(path="s3://bucket/x.csv"),
        labeling_command(),
    ],
    ids=["replaceAllLabels", "transform", "path", "kind"],
)
def test_same_key_with_another_payload_is_an_error(service: Service, command: StartCommand) -> None:
    service.start(import_command())
    with pytest.raises(IdempotencyKeyReused):
        service.start(command)
    assert len(service.glue.all_task_runs()) == 1


def test_same_key_of_another_caller_is_another_request(service: Service) -> None:
    first, second = service.start(labeling_command(caller="alice")), service.start(labeling_command(caller="bob"))
    assert not second.replayed
    assert first.run.id != second.run.id
    assert len({task_run.path for task_run in service.glue.all_task_runs()}) == 2


def test_forbidden_path_is_not_recorded(service: Service) -> None:
    with pytest.raises(InvalidRequest):
        service.start(import_command(path="s3://elsewhere/one.csv"))
    assert not service.ledger.items
    assert not service.glue.calls


def test_run_of_an_unknown_transform_is_recorded_as_refused(service: Service) -> None:
    run = service.start_run(labeling_command(transform_id="tfm-none"))
    assert run.status is Status.REFUSED
    assert run.error is not None
    assert run.error.code == "EntityNotFoundException"
    assert run.completed_on is not None
    assert service.reload(run) == run


def test_run_that_glue_refuses_is_recorded_as_refused(service: Service) -> None:
    service.glue.faults = [Fault.REFUSED]
    run = service.start_run(labeling_command())
    assert (run.status, run.error and run.error.code) == (Status.REFUSED, "InvalidInputException")


@pytest.mark.parametrize("fault", [Fault.LOST_AFTER, Fault.LOST_BEFORE])
@EVERY_COMMAND
def test_lost_response_leaves_the_run_unconfirmed_and_sends_no_second_start(
    service: Service, command: StartCommand, fault: Fault
) -> None:
    service.glue.faults = [fault]
    run = service.start_run(command)
    assert (run.status, run.task_run_id) == (Status.UNCONFIRMED, None)
    assert service.start(command).run.status is Status.UNCONFIRMED
    assert service.glue.calls == ["start"]


@EVERY_COMMAND
def test_throttled_start_leaves_the_ledger_as_it_was(service: Service, command: StartCommand) -> None:
    service.glue.faults = [Fault.THROTTLED]
    with pytest.raises(TryAgainLater):
        service.start(command)
    assert not service.ledger.items
    assert all(not line.waiting and line.importing is None for line in service.ledger.queues.values())


@EVERY_COMMAND
def test_same_key_starts_the_run_after_throttling(service: Service, command: StartCommand) -> None:
    service.glue.faults = [Fault.THROTTLED]
    with pytest.raises(TryAgainLater):
        service.start(command)
    replay = service.start(command)
    assert (replay.run.status, replay.run.attempt, replay.replayed) == (Status.STARTING, 1, False)


def test_request_at_glues_limit_is_queued(service: Service) -> None:
    service.glue.limit = 1
    service.start(labeling_command("first"))
    run = service.start_run(labeling_command("second"))
    assert (run.status, run.start_attempted_on, run.lease_until) == (Status.QUEUED, None, None)
    assert service.reload(run) == run


def test_later_request_is_queued_without_calling_glue(service: Service) -> None:
    service.glue.limit = 1
    for key in ("first", "second"):
        service.start(labeling_command(key))
    service.glue.finish_all()
    service.glue.calls.clear()
    assert service.start_run(labeling_command("third")).status is Status.QUEUED
    assert not service.glue.calls


@pytest.mark.parametrize("most", [0, 1, 3])
def test_full_queue_accepts_no_request(service: Service, most: int) -> None:
    service.set_policy(max_queued=most)
    service.glue.limit = 1
    for number in range(1 + most):
        service.start(labeling_command(f"key-{number}"))
    for _ in range(2):
        with pytest.raises(QueueFull):
            service.start(labeling_command("one too many"))
    assert run_id("alice", "one too many") not in service.ledger.items
    assert len(service.ledger.queues["tfm-1"].waiting) == most


def test_full_queue_still_accepts_replays(service: Service) -> None:
    service.set_policy(max_queued=1)
    service.glue.limit = 1
    for key in ("first", "second"):
        service.start(labeling_command(key))
    assert service.start(labeling_command("first")).replayed
    assert service.start(labeling_command("second")).run.status is Status.QUEUED


def test_each_transform_has_its_own_queue(service: Service) -> None:
    service.glue.limit = 1
    for key in ("first", "second"):
        service.start(labeling_command(key))
    assert service.start_run(labeling_command("third", transform_id="tfm-2")).status is Status.STARTING


def test_slow_process_does_not_send_its_start(service: Service) -> None:
    write = service.ledger.write

    def write_slowly(*arguments: object, **options: object) -> object:
        written = write(*arguments, **options)  # type: ignore[arg-type]  # passed on as they came
        service.clock.pass_seconds(service.policy.start_within.total_seconds())
        return written

    service.ledger.write = write_slowly  # type: ignore[method-assign,assignment]  # a slow network
    run = service.start_run(labeling_command())
    assert run.status is Status.UNCONFIRMED
    assert not service.glue.calls


def test_starts_are_sent_well_before_the_lease_ends(service: Service) -> None:
    assert service.policy.start_within + timedelta(seconds=20) < service.policy.lease  # one call's bounds: handlers.wiring


def test_request_in_flight_is_not_started_again(service: Service) -> None:
    errors: list[Exception] = []
    start_in_glue = service.glue.start

    def start_after_a_second_request(run: object) -> str:
        with pytest.raises(RequestInFlight) as conflict:
            service.start(labeling_command())
        errors.append(conflict.value)
        return start_in_glue(run)  # type: ignore[arg-type]  # passed on as it came

    service.glue.start = start_after_a_second_request  # type: ignore[method-assign]  # a second request while the first is with Glue
    assert service.start_run(labeling_command()).status is Status.STARTING
    assert len(errors) == len(service.glue.all_task_runs()) == 1


def test_another_payload_during_a_request_in_flight_is_an_error(service: Service) -> None:
    start_in_glue = service.glue.start

    def start_after_a_second_request(run: object) -> str:
        with pytest.raises(IdempotencyKeyReused):
            service.start(labeling_command(output="s3://bucket/elsewhere"))
        return start_in_glue(run)  # type: ignore[arg-type]  # passed on as it came

    service.glue.start = start_after_a_second_request  # type: ignore[method-assign]  # a second request while the first is with Glue
    assert service.start_run(labeling_command()).status is Status.STARTING
