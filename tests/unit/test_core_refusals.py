"""Which of AWS's errors are final, and which pass; and what becomes of imports behind such a file."""

import pytest
from botocore.retries.standard import ThrottledRetryableChecker, TransientRetryableChecker

from core.errors import TryAgainLater
from core.refusals import FILE_REMEDIES, is_passing
from core.runs import Run, Status, WaitingReason
from tests.fakes.service import Service, import_command, labeling_command

START_DEADLINE_SECONDS = 86_400


def upload(service: Service, number: int) -> Run:
    return service.start_run(import_command(f"key-{number}", path=f"s3://bucket/labels/tfm-1/{number}.csv"))


def finish_and_reconcile(service: Service) -> None:
    service.glue.finish_all()
    service.reconcile()


def statuses(service: Service, runs: list[Run]) -> list[Status]:
    return [service.reload(run).status for run in runs]


def test_everything_that_botocore_retries_passes() -> None:
    codes = [
        *vars(ThrottledRetryableChecker)["_THROTTLED_ERROR_CODES"],
        *vars(TransientRetryableChecker)["_TRANSIENT_ERROR_CODES"],
    ]
    assert [code for code in codes if not is_passing(code, 400)] == []


def test_no_code_with_a_remedy_passes() -> None:
    assert [code for code in FILE_REMEDIES if is_passing(code, 403)] == []


@pytest.mark.parametrize("code", ["AccessDenied", "InvalidObjectState", "KMS.DisabledException"])
def test_file_that_s3_refuses_for_good_is_refused_at_once(service: Service, code: str) -> None:
    service.files.refused["s3://bucket/labels/tfm-1/1.csv"] = code
    refused = upload(service, 1)
    assert (refused.status, refused.error and refused.error.code) == (Status.REFUSED, code)
    assert service.glue.calls == []
    service.deliver()
    assert service.bus.detail_types() == ["TaskRunRefused"]


def test_refused_file_at_the_head_of_a_queue_lets_the_next_import_go_on_in_the_same_round(service: Service) -> None:
    runs = [upload(service, number) for number in range(3)]
    service.files.refused["s3://bucket/labels/tfm-1/1.csv"] = "InvalidObjectState"
    finish_and_reconcile(service)
    assert statuses(service, runs) == [Status.SUCCEEDED, Status.REFUSED, Status.STARTING]


def test_unreachable_file_waits_until_its_deadline_and_then_lets_the_next_import_go_on(service: Service) -> None:
    runs = [upload(service, number) for number in range(2)]
    service.clock.pass_seconds(START_DEADLINE_SECONDS / 2)
    runs.append(upload(service, 2))
    service.files.unreachable.add("s3://bucket/labels/tfm-1/1.csv")
    finish_and_reconcile(service)
    waiting = service.reload(runs[1])
    assert (waiting.status, waiting.waiting_reason) == (Status.QUEUED, WaitingReason.FILE_UNREADABLE)
    assert service.reload(runs[2]).status is Status.QUEUED, "imports keep their order"
    service.clock.pass_seconds(START_DEADLINE_SECONDS / 2)
    service.reconcile()
    assert statuses(service, runs) == [Status.SUCCEEDED, Status.START_FAILED, Status.STARTING]


def test_unreachable_file_holds_no_labeling_set(service: Service) -> None:
    upload(service, 0)
    blocked = upload(service, 1)
    labeling = service.start_run(labeling_command())
    service.files.unreachable.add("s3://bucket/labels/tfm-1/1.csv")
    finish_and_reconcile(service)
    assert statuses(service, [blocked, labeling]) == [Status.QUEUED, Status.STARTING]


def test_unreachable_file_is_imported_once_s3_answers(service: Service) -> None:
    runs = [upload(service, number) for number in range(2)]
    service.files.is_down = True
    finish_and_reconcile(service)
    service.files.is_down = False
    service.reconcile()
    assert statuses(service, runs) == [Status.SUCCEEDED, Status.STARTING]


def test_missing_right_to_look_the_transform_up_refuses_the_import(service: Service) -> None:
    service.glue.denied.add("get_transform")
    run = upload(service, 1)
    assert (run.status, run.error and run.error.code) == (Status.REFUSED, "AccessDeniedException")


def test_missing_right_to_look_the_transform_up_refuses_a_replace_that_exports_first(service: Service) -> None:
    run = service.start_run(import_command(replaces=True, export_to="s3://bucket/exports"))
    service.glue.denied.add("get_transform")
    service.reconcile()
    ended = service.reload(run)
    assert (ended.status, ended.error and ended.error.code) == (Status.REFUSED, "AccessDeniedException")


def test_glue_that_cannot_be_reached_refuses_no_import(service: Service) -> None:
    service.glue.is_down = True
    with pytest.raises(TryAgainLater):
        upload(service, 1)
    assert service.ledger.items == {}
