"""What the harness found, one small test each, so that it stays mended."""

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


class DeniesOnce(FakeGlue):
    """Says once that there is no such transform, although there is: Glue is not consistent at every moment."""

    denies = True

    def runs(self, transform_id: str, since: datetime) -> list[GlueRun]:
        if self.denies:
            self.denies = False
            raise UnknownToGlue("Cannot find MLTransform")
        return super().runs(transform_id, since)


def test_a_look_up_that_denies_the_transform_once_is_no_license_to_start_again() -> None:
    loop = Loop()
    loop.glue = DeniesOnce(loop.clock)
    loop.glue.faults.append(Fault.LOST_AFTER)
    run = loop.run_of(labeling_command())
    loop.clock.pass_seconds(loop.policy.confirm_after.total_seconds() + 1)
    loop.reconcile()
    loop.reconcile()
    assert len(loop.glue.all()) == 1
    assert loop.now(run).status in in_glue(loop.glue.all())


class HidesTransformOnce(FakeGlue):
    """As DeniesOnce, of the transform itself."""

    denies = False

    def transform(self, transform_id: str) -> Transform:
        if self.denies:
            self.denies = False
            raise UnknownToGlue("Cannot find MLTransform")
        return super().transform(transform_id)


def replacing(loop: Loop) -> Run:
    return loop.run_of(import_command("replace", replaces=True, export_to="s3://bucket/backups"))


def kinds(loop: Loop) -> list[str]:
    return [one.task_type for one in loop.glue.all()]


def test_a_transform_that_is_denied_once_is_not_replaced_without_its_export() -> None:
    loop = Loop()
    loop.glue = HidesTransformOnce(loop.clock)
    loop.glue.label_count = 30
    replacing(loop)
    loop.glue.denies = True
    loop.reconcile()
    assert kinds(loop) == ["EXPORT_LABELS"]


def test_a_second_attempt_is_not_content_with_the_first_ones_export() -> None:
    loop = Loop()
    loop.glue.label_count = 30
    run = replacing(loop)
    loop.reconcile()
    loop.glue.finish_all()
    loop.files.contents[UPLOADED] = b"another version"
    loop.reconcile()
    assert loop.now(run).status is Status.REFUSED
    del loop.files.contents[UPLOADED]
    between = loop.run_of(import_command("between", path="s3://bucket/labels/tfm-1/two.csv"))
    loop.glue.finish_all()
    loop.reconcile()
    assert loop.now(between).status is Status.SUCCEEDED
    replacing(loop)
    loop.reconcile()
    loop.reconcile()
    assert kinds(loop) == ["EXPORT_LABELS", "IMPORT_LABELS", "EXPORT_LABELS"], "those labels are not exported yet"
    loop.glue.finish_all()
    loop.reconcile()
    assert kinds(loop)[3:] == ["IMPORT_LABELS"]


class Busy:
    """Glue's client, at the transform's limit: of exports the model has no exception of its own for that."""

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


def test_an_export_at_the_limit_waits_and_is_not_refused() -> None:
    client: Any = Busy()
    with pytest.raises(AtLimit):
        GlueTaskRuns(starter=client, client=client).export(replacing(Loop()))


def in_glue(runs: Sequence[GlueRun]) -> set[Status]:
    return {run.status for run in runs}
