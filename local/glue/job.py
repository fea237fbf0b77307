"""A task run's work as a value: what goes into a worker process, and what comes back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from local.glue.aws import TableRef
from local.glue.label_files import LabeledRow


@dataclass(frozen=True)
class Job:
    """All that a task run needs to know. `path` is what the caller gave: S3 output or input."""

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


@dataclass(frozen=True)
class Outcome:
    """What a run leaves behind for the service to keep: labels read, or FindMatchesMetrics, or neither."""

    labels: tuple[LabeledRow, ...] | None = None
    metrics: Mapping[str, Any] | None = None


class JobFailed(Exception):
    """The run cannot end well, and trying again would not help; the message becomes its ErrorString."""
