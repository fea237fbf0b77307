"""The messages between the service and a worker process: the job of a task run, and its outcome."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.glue.aws import TableRef
from local.glue.label_rules import LabeledRow


@dataclass(frozen=True)
class Job:
    """Everything that a worker needs for a task run. `path` is the caller's S3 input or output path."""

    kind: str
    transform_id: str
    run_id: str
    table: TableRef
    primary_key: str
    started_on: float
    parameters: Mapping[str, Any] = field(default_factory=dict)  # FindMatchesParameters
    labels: tuple[LabeledRow, ...] = ()
    path: str = ""
    seed: int = 0
    output_format: str = "csv"
    known_path: str = ""
    confidence_scores: bool = True


@dataclass(frozen=True)
class Outcome:
    """What the service stores after a run: the imported labels, or FindMatchesMetrics, or nothing."""

    labels: tuple[LabeledRow, ...] | None = None
    metrics: Mapping[str, Any] | None = None


class JobFailed(Exception):
    """The run has failed and a retry would fail too; the message becomes its ErrorString."""
