"""The API's documents as Python objects: snake_case names, times as datetimes. `json` keeps the document as it was sent."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

SUCCEEDED = "SUCCEEDED"
TERMINAL_STATUSES = frozenset({SUCCEEDED, "FAILED", "STOPPED", "TIMEOUT", "REFUSED", "START_FAILED", "CANCELLED", "LOST"})
Document = Mapping[str, Any]


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text.replace("Z", "+00:00"))  # noqa: FURB162 - Python 3.10 knows no Z


@dataclass(frozen=True)
class RunError:
    """Why a run ended without success."""

    code: str
    message: str


@dataclass(frozen=True)
class _Model:
    json: Document = field(repr=False, compare=False, kw_only=True)


@dataclass(frozen=True)
class TaskRun(_Model):
    """A task run. `id` is the service's, `task_run_id` Glue's (None until known); absent values are None."""

    id: str
    transform_id: str | None
    task_type: str
    status: str
    task_run_id: str | None
    output_s3_path: str | None
    input_s3_path: str | None
    replace_all_labels: bool | None
    export_to: str | None
    requested_by: str
    requested_on: datetime | None
    started_on: datetime | None
    completed_on: datetime | None
    execution_time: int | None
    error: RunError | None
    warning: str | None
    waiting_for: Document | None
    metrics: Document | None
    labeling_set_id: str | None
    labeled_by: str | None

    @property
    def is_terminal(self) -> bool:
        return self.status in TERMINAL_STATUSES

    @staticmethod
    def of(document: Document) -> "TaskRun":
        error = document.get("error")
        return TaskRun(
            id=document["id"],
            transform_id=document.get("transformId"),
            task_type=document["taskType"],
            status=document["status"],
            task_run_id=document.get("taskRunId"),
            output_s3_path=document.get("outputS3Path"),
            input_s3_path=document.get("inputS3Path"),
            replace_all_labels=document.get("replaceAllLabels"),
            export_to=document.get("exportTo"),
            requested_by=document["requestedBy"],
            requested_on=_time(document.get("requestedOn")),
            started_on=_time(document.get("startedOn")),
            completed_on=_time(document.get("completedOn")),
            execution_time=document.get("executionTime"),
            error=RunError(error["code"], error["message"]) if error else None,
            warning=document.get("warning"),
            waiting_for=document.get("waitingFor"),
            metrics=document.get("metrics"),
            labeling_set_id=document.get("labelingSetId"),
            labeled_by=document.get("labeledBy"),
            json=document,
        )


@dataclass(frozen=True)
class LabelingSet(_Model):
    """A labeling set as its owner sees it: counts, columns, who answered how much, and the submission (None before)."""

    id: str
    transform_id: str
    status: str
    object_s3_path: str | None
    rows: int | None
    sets: int | None
    columns: tuple[str, ...]
    labelers: tuple[Document, ...]
    submission: Document | None

    @staticmethod
    def of(document: Document) -> "LabelingSet":
        return LabelingSet(
            id=document["id"],
            transform_id=document["transformId"],
            status=document["status"],
            object_s3_path=document.get("objectS3Path"),
            rows=document.get("rows"),
            sets=document.get("sets"),
            columns=tuple(document.get("columns") or ()),
            labelers=tuple(document.get("labelers") or ()),
            submission=document.get("submission"),
            json=document,
        )


@dataclass(frozen=True)
class Link(_Model):
    """A link to the labeling page. `url` carries the secret and is known only to whoever created the link."""

    link_id: str
    labeler: str
    may_import: bool
    blind: bool
    expires_on: datetime | None
    url: str | None = field(repr=False)

    @staticmethod
    def of(document: Document) -> "Link":
        return Link(
            link_id=document["linkId"],
            labeler=document["labeler"],
            may_import=document["mayImport"],
            blind=document["blind"],
            expires_on=_time(document.get("expiresOn")),
            url=document.get("url"),
            json=document,
        )


@dataclass(frozen=True)
class LabelCheck(_Model):
    """What would be imported: counts, and what is wrong (`errors`) or worth a look (`warnings`), with `row` and `message`."""

    ok: bool
    errors: tuple[Document, ...]
    warnings: tuple[Document, ...]
    rows: int
    left_out: int
    match_pairs: int
    non_match_pairs: int

    @staticmethod
    def of(document: Document) -> "LabelCheck":
        return LabelCheck(
            ok=document["ok"],
            errors=tuple(document["errors"]),
            warnings=tuple(document["warnings"]),
            rows=document["rows"],
            left_out=document["leftOut"],
            match_pairs=document["matchPairs"],
            non_match_pairs=document["nonMatchPairs"],
            json=document,
        )
