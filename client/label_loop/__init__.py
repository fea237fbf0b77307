"""Python client of the Glue Label Loop API."""

from label_loop.api import ApiClient, Response
from label_loop.errors import (
    LabelLoopError,
    LabelsNotFit,
    NoCredentials,
    NotAllowed,
    RunFailed,
    ServiceError,
    Unavailable,
    UsageError,
    WaitExpired,
)
from label_loop.labels import Labels
from label_loop.loop import LabelLoop
from label_loop.models import LabelCheck, LabelingSet, Link, TaskRun
from label_loop.run_handle import RunHandle

__all__ = [
    "ApiClient",
    "LabelCheck",
    "LabelLoop",
    "LabelLoopError",
    "LabelingSet",
    "Labels",
    "LabelsNotFit",
    "Link",
    "NoCredentials",
    "NotAllowed",
    "Response",
    "RunFailed",
    "RunHandle",
    "ServiceError",
    "TaskRun",
    "Unavailable",
    "UsageError",
    "WaitExpired",
]
