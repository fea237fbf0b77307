"""The local cloud's process for the harness: as `make up` starts it, but Glue's task runs do no matching and can be held.

Thousands of task runs start within minutes, and only how often each starts matters. The rest of the Glue emulator is unchanged:
wire protocol, limits per transform, statuses, store.
"""

import os
from pathlib import Path
from typing import Any

import local.cloud.host
import local.glue.service
from local.glue.job import Job, JobFailed, Outcome
from local.glue.label_rules import LabeledRow
from local.glue.settings import Settings
from local.glue.task_runs import EVALUATION, EXPORT_LABELS, IMPORT_LABELS
from local.glue.workers import POLL_SECONDS, Limits
from tests.chaos.cloud import FAILING_SUFFIX, HELD_FOLDER, NO_LABELS, f1_of

_SETTINGS = Settings(
    max_runs_per_account=100_000, max_transforms_per_account=100_000, starting_seconds=0.0, running_seconds=0.0, workers=1000
)
_LABELS = (LabeledRow("s1", "A", "p1"), LabeledRow("s1", "A", "p2"), LabeledRow("s1", "B", "p3"))


class IdleWorkers:
    """As local.glue.workers.Workers, but a task run ends at once, or as soon as its transform is no longer held."""

    def __init__(self, held: Path) -> None:
        self._held = held

    def run(self, job: Job, limits: Limits) -> Outcome:
        while (self._held / job.transform_id).exists():
            limits.check()
            limits.stop.wait(POLL_SECONDS)
        limits.check()
        if job.kind == EXPORT_LABELS and (self._held / f"{job.transform_id}{FAILING_SUFFIX}").exists():
            raise JobFailed("This transform's exports are set to fail.")
        if job.kind == IMPORT_LABELS:
            return Outcome(labels=() if NO_LABELS in job.path else _LABELS)
        if job.kind == EVALUATION:
            return Outcome(metrics={"F1": f1_of(job.run_id)})
        return Outcome()

    def close(self) -> None:
        pass


def main() -> None:
    held = Path(os.environ[HELD_FOLDER])
    service: Any = local.glue.service
    service.ProcessWorkers = lambda *_: IdleWorkers(held)
    build = service.build_service
    host: Any = local.cloud.host
    host.build_service = lambda state, aws: build(state, aws, settings=_SETTINGS)
    local.cloud.host.main()


if __name__ == "__main__":
    main()
