"""One small test for each fault that `make chaos` has found."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from core.aws.glue import GlueTaskRuns
from core.errors import AtLimit, UnknownToGlue
from core.ports import GlueRun, Transform
from core.runs import Run, Status
from tests.fakes.glue import FakeGlue, Fault
from tests.fakes.loop import UPLOADED, Loop, import_command, labeling_command


class HidesTransformFromListingOnce(FakeGlue):
    """Its first listing says that the transform does not exist: Glue is eventually consistent."""

    hides = True

    def runs(self, transform_id: str, since: datetime) -> list[GlueRun]:
        if self.hides:
            self.hides = False
            raise UnknownToGlue("Cannot find MLTransform")
        return super().runs(transform_id, since)


def test_listing_that_misses_the_transform_once_does_not_start_again() -> None:
    loop = Loop()
    loop.glue = HidesTransformFromListingOnce(loop.clock)
    loop.glue.faults.append(Fault.LOST_AFTER)
    run = loop.run_of(labeling_command())
    loop.clock.pass_seconds(loop.policy.confirm_after.total_seconds() + 1)
    loop.reconcile()
    loop.reconcile()
    assert len(loop.glue.all()) == 1
    assert loop.now(run).status in in_glue(loop.glue.all())


class HidesTransformOnce(FakeGlue):
    """Says once that the transform does not exist."""

    hides = False

    def transform(self, transform_id: str) -> Transform:
        if self.hides:
            self.hides = False
            raise UnknownToGlue("Cannot find MLTransform")
        return super().transform(transform_id)


def replacing(loop: Loop) -> Run:
    return loop.run_of(import_command("replace", replaces=True, export_to="s3://bucket/backups"))


def task_types(loop: Loop) -> list[str]:
    return [run.task_type for run in loop.glue.all()]


def test_replace_waits_for_its_export_if_the_transform_is_missed_once() -> None:
    loop = Loop()
    loop.glue = HidesTransformOnce(loop.clock)
    loop.glue.label_count = 30
    replacing(loop)
    loop.glue.hides = True
    loop.reconcile()
    assert task_types(loop) == ["EXPORT_LABELS"]


def test_second_attempt_of_a_replace_exports_again() -> None:
    loop = Loop()
    loop.glue.label_count = 30
    run = replacing(loop)
    loop.reconcile()
    loop.glue.finish_all()
    loop.files.contents[UPLOADED] = b"another version"
    loop.reconcile()
    assert loop.now(run).status is Status.REFUSED
    del loop.files.contents[UPLOADED]
    imported_between = loop.run_of(import_command("between", path="s3://bucket/labels/tfm-1/between.csv"))
    loop.glue.finish_all()
    loop.reconcile()
    assert loop.now(imported_between).status is Status.SUCCEEDED
    replacing(loop)
    loop.reconcile()
    loop.reconcile()
    assert task_types(loop) == ["EXPORT_LABELS", "IMPORT_LABELS", "EXPORT_LABELS"], "those labels need an export"
    loop.glue.finish_all()
    loop.reconcile()
    assert task_types(loop)[3:] == ["IMPORT_LABELS"]


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
    with pytest.raises(AtLimit):
        GlueTaskRuns(starter=client, client=client).export(replacing(Loop()))


def in_glue(runs: Sequence[GlueRun]) -> set[Status]:
    return {run.status for run in runs}
