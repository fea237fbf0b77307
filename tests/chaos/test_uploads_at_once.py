"""A thousand label files are uploaded at the same time, for a transform whose queue holds a hundred runs."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from core.errors import TryAgainLater
from core.runs import Status
from handlers import bus
from tests.fakes.service import Service

UPLOADS, AT_ONCE = 1_000, 50
TRANSFORM = "tfm-1"


def upload(service: Service, path: str, attempt: int) -> None:
    """Put a new version of the file, and deliver its event until the handler has taken it twice."""
    service.files.contents[path] = f"labeling_set_id,label,id,name\na,1,1,Ann\na,1,2,Anne {attempt}\n".encode()
    object_ = {"key": path.removeprefix("s3://bucket/"), "version-id": service.files.current_version(path), "etag": "etag"}
    event: dict[str, Any] = {
        "id": f"{path}/{attempt}",
        "source": "aws.s3",
        "detail-type": "Object Created",
        "detail": {"bucket": {"name": "bucket"}, "object": object_},
    }
    deliveries = 0
    while deliveries < 2:
        try:
            bus.handler(event, LambdaContext(), service.deps)
        except TryAgainLater:
            continue
        deliveries += 1


def upload_at_once(service: Service, paths: Sequence[str], attempt: int) -> None:
    with ThreadPoolExecutor(AT_ONCE) as callers:
        list(callers.map(lambda path: upload(service, path, attempt), paths))


def let_all_end(service: Service) -> None:
    """Let Glue finish its runs and reconcile until every run has ended, as long as that changes anything."""
    service.deliver()
    while any(not run.status.is_terminal for run in service.ledger.items.values()):
        before = len(service.ledger.changes)
        service.glue.finish_all()
        service.reconcile()
        assert len(service.ledger.changes) > before, "runs are stuck"


def imported(service: Service) -> list[str]:
    """The path of each import in Glue, in order of start."""
    return [str(run.path) for run in service.glue.all_task_runs()]


def queued(service: Service) -> list[str]:
    """The path of each queued run, in order of acceptance."""
    return [str(service.ledger.items[run_id].path) for run_id in service.ledger.queue(TRANSFORM)]


def refused_for_full_queue(service: Service) -> set[str]:
    runs = service.ledger.items.values()
    return {str(run.path) for run in runs if run.status is Status.REFUSED and run.error and run.error.code == "QUEUE_FULL"}


def test_thousand_uploads_at_once_all_end_in_order_and_the_refused_ones_can_be_uploaded_again() -> None:
    service = Service()
    every_file = [f"s3://bucket/labels/{TRANSFORM}/{number:04}.csv" for number in range(UPLOADS)]
    not_imported, attempt, refusals = every_file, 0, 0
    while not_imported:
        attempt += 1
        upload_at_once(service, not_imported, attempt)
        accepted = [*imported(service), *queued(service)]
        let_all_end(service)
        assert imported(service) == accepted, "started in order of acceptance, and once each"
        remaining = [path for path in not_imported if path not in set(accepted)]
        assert len(remaining) < len(not_imported), "no upload was accepted"
        assert set(remaining) <= refused_for_full_queue(service), "each upload was imported or refused by name"
        refusals += len(remaining)
        not_imported = remaining
    assert sorted(imported(service)) == every_file
    assert refusals > 0
    announced = service.bus.detail_types()
    assert (announced.count("TaskRunSucceeded"), announced.count("TaskRunRefused")) == (UPLOADS, refusals)
