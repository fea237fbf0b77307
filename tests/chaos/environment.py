"""Changes of a case's transform in Glue and of its label file in S3, between its handler runs."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from tests.chaos.cases import GlueAction, S3Action
from tests.chaos.cloud import LABELS, NO_LABELS, OTHER_LABELS, ChaosCloud

STARTED_BY_HAND = "by-hand"  # in the paths of task runs that a case starts directly in Glue
ACTIVE = ("STARTING", "RUNNING", "STOPPING")
EVALUATION = "EVALUATION"
_FINISH_SECONDS = 20


class Environment:
    """The transform in Glue and the label file in S3, as a case's actions set them up.

    `has_labels` is None until a case decides it. `label_file` is the S3 path and ETag of the file's first version;
    `changed_at` is when it was changed or removed (epoch seconds), None while it is the first version.
    """

    def __init__(self, cloud: ChaosCloud, transform_id: str, key: str) -> None:
        self._cloud = cloud
        self._transform_id = transform_id
        self._file = f"labels/{transform_id}/{key}.csv"
        self.has_labels: bool | None = None
        self.changed_at: float | None = None
        self.label_file = self.upload(self._file)

    def upload(self, key: str, labels: str = LABELS) -> tuple[str, str]:
        put = self._cloud.client("s3").put_object(Bucket=self._cloud.stack.bucket, Key=key, Body=labels.encode())
        return self._cloud.s3_path(key), put["ETag"].strip('"')

    def apply(self, change: GlueAction | S3Action) -> None:
        cloud, transform_id = self._cloud, self._transform_id
        changes: dict[GlueAction | S3Action, Callable[[], object]] = {
            "hold": lambda: cloud.hold(transform_id),
            "release": lambda: cloud.release(transform_id),
            "fill": self._fill,
            "let Glue finish": self.await_glue,
            "have labels": lambda: self._label(has_labels=True),
            "have no labels": lambda: self._label(has_labels=False),
            "let exports fail": lambda: cloud.let_exports_fail(transform_id),
            "change file": lambda: self._change(lambda: self.upload(self._file, OTHER_LABELS)),
            "remove file": lambda: self._change(self._remove),
            "restore file": self._restore,
        }
        changes[change]()

    def await_glue(self) -> None:
        """Wait until every task run that is not held has ended."""
        until = time.monotonic() + _FINISH_SECONDS
        while any(run["Status"] in ACTIVE for run in self.glue_runs()) and time.monotonic() < until:
            time.sleep(0.02)

    def glue_runs(self) -> list[dict[str, Any]]:
        """The transform's task runs in Glue, without those that a case started directly in Glue."""
        runs = self._cloud.client("glue").get_ml_task_runs(TransformId=self._transform_id, MaxResults=1000)["TaskRuns"]
        return [run for run in runs if STARTED_BY_HAND not in path_of(run)]

    def _fill(self) -> None:
        self._cloud.hold(self._transform_id)
        for _ in range(3):
            path = self._cloud.s3_path(f"{STARTED_BY_HAND}/")
            start = self._cloud.client("glue").start_ml_labeling_set_generation_task_run
            start(TransformId=self._transform_id, OutputS3Path=path)

    def _label(self, *, has_labels: bool) -> None:
        glue = self._cloud.client("glue")
        path, _ = self.upload(f"{STARTED_BY_HAND}/{'labels' if has_labels else NO_LABELS}.csv")
        glue.start_import_labels_task_run(TransformId=self._transform_id, InputS3Path=path, ReplaceAllLabels=True)
        until = time.monotonic() + _FINISH_SECONDS
        while bool(glue.get_ml_transform(TransformId=self._transform_id)["LabelCount"]) is not has_labels:
            if time.monotonic() > until:
                raise TimeoutError("Glue did not import the labels")
            time.sleep(0.02)
        self.has_labels = has_labels

    def _change(self, change: Callable[[], object]) -> None:
        self.changed_at = time.time()
        change()

    def _remove(self) -> None:
        self._cloud.client("s3").delete_object(Bucket=self._cloud.stack.bucket, Key=self._file)

    def _restore(self) -> None:
        self.upload(self._file)
        self.changed_at = None


def path_of(run: Mapping[str, Any]) -> str:
    """The path that Glue was given; of an evaluation, which has none, EVALUATION."""
    properties = run["Properties"]
    if properties["TaskType"] == EVALUATION:
        return EVALUATION
    labeling = properties.get("LabelingSetGenerationTaskRunProperties", {}).get("OutputS3Path")
    exporting = properties.get("ExportLabelsTaskRunProperties", {}).get("OutputS3Path")
    return str(labeling or exporting or properties.get("ImportLabelsTaskRunProperties", {}).get("InputS3Path", ""))
