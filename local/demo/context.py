"""What every step of the demo needs."""

from dataclasses import dataclass
from pathlib import Path

from label_loop.api import ApiClient
from local.cloud.stack import Stack
from local.demo.console import Reporter
from local.sample_table import Records


@dataclass(frozen=True)
class DemoContext:
    """What every step needs. `folder` gets a copy of each file."""

    stack: Stack
    api: ApiClient
    reporter: Reporter
    records: Records
    transform_id: str
    folder: Path

    @property
    def output_s3_path(self) -> str:
        return f"s3://{self.stack.bucket}/labeling-sets/"

    @property
    def export_s3_path(self) -> str:
        return f"s3://{self.stack.bucket}/label-exports/"
