"""One small test for each fault that `make chaos` has found."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from core.aws.glue import GlueTaskRuns
from core.errors import ConcurrencyLimitReached, NotFoundInGlue
from core.ports import GlueRun, Transform
from core.runs import Run, Status
from tests.fakes.glue import FakeGlue, Fault
from tests.fakes.service import UPLOADED, Service, import_command, labeling_command


class HidesTransformFromListingOnce(FakeGlue):
    """Its first listing says that the transform does not exist: Glue is eventually consistent."""

    hides = True

    def list_task_runs(self, transform_id: str, since: datetime) -> list[GlueRun]:
        if self.hides:
            self.hides = False
            raise NotFoundInGlue("Cannot find MLTransform")
        return super().list_task_runs(transform_id, since)


def test_listing_that_misses_the_transform_once_does_not_start_again() -> None:
    service = Service()
    service.glue = HidesTransformFromListingOnce(service.clock)
    service.glue.faults.append(Fault.LOST_AFTER)
    run = service.start_run(labeling_command())
    service.clock.pass_seconds(service.policy.confirm_after.total_seconds() + 1)
    service.reconcile()
    service.reconcile()
    assert len(service.glue.all_task_runs()) == 1
    assert service.reload(run).status in in_glue(service.glue.all_task_runs())


class HidesTransformOnce(FakeGlue):
    """Says once that the transform does not exist."""

    hides = False

    def get_transform(self, transform_id: str) -> Transform:
        if self.hides:
            self.hides = False
            raise NotFoundInGlue("Cannot find MLTransform")
        return super().get_transform(transform_id)


def replacing(service: Service) -> Run:
    return service.start_run(import_command("replace", replaces=True, export_to="s3://bucket/backups"))


def task_types(service: Service) -> list[str]:
    return [run.task_type for run in service.glue.all_task_runs()]


def test_replace_waits_for_its_export_if_the_transform_is_missed_once() -> None:
    service = Service()
    service.glue = HidesTransformOnce(service.clock)
    service.glue.label_count = 30
    replacing(service)
    service.glue.hides = True
    service.reconcile()
    assert task_types(service) == ["EXPORT_LABELS"]


def test_second_attempt_of_a_replace_exports_again() -> None:
    service = Service()
    service.glue.label_count = 30
    run = replacing(service)
    service.reconcile()
    service.glue.finish_all()
    service.files.contents[UPLOADED] = b"another version"
    service.reconcile()
    assert service.reload(run).status is Status.REFUSED
    del service.files.contents[UPLOADED]
    imported_between = service.start_run(import_command("between", path="s3://bucket/labels/tfm-1/between.csv"))
    service.glue.finish_all()
    service.reconcile()
    assert service.reload(imported_between).status is Status.SUCCEEDED
    replacing(service)
    service.reconcile()
    service.reconcile()
    assert task_types(service) == ["EXPORT_LABELS", "IMPORT_LABELS", "EXPORT_LABELS"], "those labels need an export"
    service.glue.finish_all()
    service.reconcile()
    assert task_types(service)[3:] == ["IMPORT_LABELS"]


class GlueClientAtLimit:
    """Glue's client at the transform's limit, for which the model of exports has no exception."""

    def start_export_labels_task_run(self, **_: str) -> None:
        message = "ML Task Runs count 3 has exceeded the transform limit of 3 task runs."
        raise ClientError(
            {
                "Error": {"Code": "InvalidInputException", "Message": message},
                "ResponseMetadata": {
                    "HTTPStatusCode": 400,
                    "RequestId": "",
                    "HostId": "",
                    "HTTPHeaders": {},
                    "RetryAttempts": 0,
                },
            },
            "StartExportLabelsTaskRun",
        )


def test_export_at_the_limit_waits_and_is_not_refused() -> None:
    client: Any = GlueClientAtLimit()
    with pytest.raises(ConcurrencyLimitReached):
        GlueTaskRuns(starter=client, client=client).start_export(replacing(Service()))


def in_glue(runs: Sequence[GlueRun]) -> set[Status]:
    return {run.status for run in runs}
