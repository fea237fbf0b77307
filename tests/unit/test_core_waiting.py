"""Why a run is queued, since when, and at which place."""

from core.runs import Run, Status, WaitingReason
from core.waiting import waiting
from tests.fakes.service import Service, import_command, labeling_command


def upload(service: Service, number: int, **more: object) -> Run:
    path = f"s3://bucket/labels/tfm-1/{number}.csv"
    return service.start_run(import_command(f"key-{number}", path=path, **more))  # type: ignore[arg-type]  # a test names them


def reason(service: Service, run: Run) -> WaitingReason | None:
    current = service.reload(run)
    assert current.status is Status.QUEUED
    return waiting([current], service.deps)[run.id].reason


def test_second_import_waits_for_the_open_one_and_the_third_for_the_queue(service: Service) -> None:
    _, second, third = (upload(service, number) for number in range(3))
    assert [reason(service, run) for run in (second, third)] == [WaitingReason.OPEN_IMPORT, WaitingReason.QUEUE]


def test_import_that_becomes_the_next_one_waits_for_the_open_one(service: Service) -> None:
    third = [upload(service, number) for number in range(3)][-1]
    queued_since = service.reload(third).waiting_since
    service.glue.finish_all()
    service.reconcile()  # starts the second
    service.reconcile()
    assert reason(service, third) is WaitingReason.OPEN_IMPORT
    recorded_since = service.reload(third).waiting_since
    assert queued_since is not None
    assert recorded_since is not None
    assert recorded_since > queued_since
    service.reconcile()
    assert service.reload(third).waiting_since == recorded_since, "the same reason lasts"


def test_replace_waits_for_its_export_only_while_that_may_run(service: Service) -> None:
    service.glue.label_count = 3
    upload(service, 0)
    replacing = upload(service, 1, replaces=True, export_to="s3://bucket/exports")
    service.reconcile()
    assert reason(service, replacing) is WaitingReason.OPEN_IMPORT
    service.glue.finish_all()
    service.reconcile()
    assert reason(service, replacing) is WaitingReason.EXPORT
    assert service.glue.calls[-1] == "start_export"


def test_export_that_glue_has_no_room_for_waits_for_glues_limit(service: Service) -> None:
    service.glue.label_count = 3
    replacing = upload(service, 1, replaces=True, export_to="s3://bucket/exports")
    service.glue.limit = 0
    service.reconcile()
    assert reason(service, replacing) is WaitingReason.GLUE_LIMIT


def test_runs_wait_for_glue_while_it_cannot_be_asked(service: Service) -> None:
    _, next_import, later_import = (upload(service, number) for number in range(3))
    service.glue.is_down = True
    service.reconcile()
    assert [reason(service, run) for run in (next_import, later_import)] == [
        WaitingReason.GLUE_UNAVAILABLE,
        WaitingReason.QUEUE,
    ]
    service.glue.is_down = False
    service.reconcile()
    assert reason(service, next_import) is WaitingReason.OPEN_IMPORT


def test_labeling_set_at_the_limit_waits_for_glues_limit(service: Service) -> None:
    service.glue.limit = 0
    first, second = (service.start_run(labeling_command(f"set-{number}")) for number in range(2))
    assert [reason(service, run) for run in (first, second)] == [WaitingReason.GLUE_LIMIT, WaitingReason.QUEUE]
