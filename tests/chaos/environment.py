"""What befalls a case's transform and its label file from outside, between its handler runs."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from tests.chaos.cases import InGlue, InS3
from tests.chaos.cloud import LABELS, NO_LABELS, OTHER_LABELS, Ground

GLUE_RUNS_BY_HAND = "by-hand"
ACTIVE = ("STARTING", "RUNNING", "STOPPING")
_FINISH_SECONDS = 20


class Environment:
    """The transform in Glue and the label file in S3, as a case arranges them.

    `has_labels` is None until a case says whether the transform has any. `label_file` is the S3 path and the ETag of the file
    as it was first; `changed_at` is when it was changed, or taken away (epoch seconds), None as long as it is as it was.
    """

    def __init__(self, ground: Ground, transform_id: str, key: str) -> None:
        self._ground = ground
        self._transform_id = transform_id
        self._file = f"labels/{transform_id}/{key}.csv"
        self.has_labels: bool | None = None
        self.changed_at: float | None = None
        self.label_file = self.upload(self._file)

    def upload(self, key: str, labels: str = LABELS) -> tuple[str, str]:
        put = self._ground.client("s3").put_object(Bucket=self._ground.stack.bucket, Key=key, Body=labels.encode())
        return self._ground.s3_path(key), put["ETag"].strip('"')

    def arrange(self, what: InGlue | InS3) -> None:
        ground, transform_id = self._ground, self._transform_id
        ways: dict[InGlue | InS3, Callable[[], object]] = {
            "hold": lambda: ground.hold(transform_id),
            "release": lambda: ground.release(transform_id),
            "fill": self._fill,
            "let Glue finish": self.await_glue,
            "have labels": lambda: self._label(has_labels=True),
            "have no labels": lambda: self._label(has_labels=False),
            "let exports fail": lambda: ground.let_exports_fail(transform_id),
            "change file": lambda: self._change(lambda: self.upload(self._file, OTHER_LABELS)),
            "remove file": lambda: self._change(self._remove),
            "restore file": self._restore,
        }
        ways[what]()

    def await_glue(self) -> None:
        """Let Glue bring everything to its end that nobody holds."""
        until = time.monotonic() + _FINISH_SECONDS
        while any(run["Status"] in ACTIVE for run in self.glue_runs()) and time.monotonic() < until:
            time.sleep(0.02)

    def glue_runs(self) -> list[dict[str, Any]]:
        """The task runs that Glue has for the transform, but for those that somebody started by hand."""
        listed = self._ground.client("glue").get_ml_task_runs(TransformId=self._transform_id, MaxResults=1000)["TaskRuns"]
        return [run for run in listed if GLUE_RUNS_BY_HAND not in path_of(run)]

    def _fill(self) -> None:
        self._ground.hold(self._transform_id)
        for _ in range(3):
            path = self._ground.s3_path(f"{GLUE_RUNS_BY_HAND}/")
            start = self._ground.client("glue").start_ml_labeling_set_generation_task_run
            start(TransformId=self._transform_id, OutputS3Path=path)

    def _label(self, *, has_labels: bool) -> None:
        glue = self._ground.client("glue")
        path, _ = self.upload(f"{GLUE_RUNS_BY_HAND}/{'labels' if has_labels else NO_LABELS}.csv")
        glue.start_import_labels_task_run(TransformId=self._transform_id, InputS3Path=path, ReplaceAllLabels=True)
        until = time.monotonic() + _FINISH_SECONDS
        while bool(glue.get_ml_transform(TransformId=self._transform_id)["LabelCount"]) is not has_labels:
            if time.monotonic() > until:
                raise TimeoutError("Glue did not take the labels")
            time.sleep(0.02)
        self.has_labels = has_labels

    def _change(self, carry_out: Callable[[], object]) -> None:
        self.changed_at = time.time()
        carry_out()

    def _remove(self) -> None:
        self._ground.client("s3").delete_object(Bucket=self._ground.stack.bucket, Key=self._file)

    def _restore(self) -> None:
        self.upload(self._file)
        self.changed_at = None


def path_of(run: Mapping[str, Any]) -> str:
    properties = run["Properties"]
    labeling = properties.get("LabelingSetGenerationTaskRunProperties", {}).get("OutputS3Path")
    exporting = properties.get("ExportLabelsTaskRunProperties", {}).get("OutputS3Path")
    return str(labeling or exporting or properties.get("ImportLabelsTaskRunProperties", {}).get("InputS3Path", ""))
