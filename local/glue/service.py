"""Glue's ML part, put together: what answers, what it remembers, what works for it."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from local.glue import task_run_api as runs
from local.glue import transform_api as transforms
from local.glue.aws import Aws, Catalog, connect
from local.glue.context import Context, Parameters
from local.glue.faults import FaultPlan, Faults
from local.glue.processes import ProcessWorkers
from local.glue.protocol import Operation, check_operations
from local.glue.settings import AwsEndpoint, Settings
from local.glue.store import Store
from local.glue.supervisor import Supervisor
from local.glue.workers import ThreadWorkers, Workers

ACCOUNT_ID = "000000000000"
OPERATIONS = {
    "CreateMLTransform": transforms.create_transform,
    "GetMLTransform": transforms.get_transform,
    "GetMLTransforms": transforms.get_transforms,
    "ListMLTransforms": transforms.list_transforms,
    "UpdateMLTransform": transforms.update_transform,
    "DeleteMLTransform": transforms.delete_transform,
    "StartMLLabelingSetGenerationTaskRun": runs.start_labeling_set,
    "StartImportLabelsTaskRun": runs.start_import,
    "StartExportLabelsTaskRun": runs.start_export,
    "StartMLEvaluationTaskRun": runs.start_evaluation,
    "GetMLTaskRun": runs.get_run,
    "GetMLTaskRuns": runs.get_runs,
    "CancelMLTaskRun": runs.cancel_run,
}


class GlueService:
    """Answers the 13 ML operations; safe from any thread. `close` it when done.

    Each operation takes its parsed parameters and gives its output, both in the shapes of botocore's model, and raises
    errors.GlueError as the model allows. `faults` may be switched at any time.
    """

    def __init__(self, context: Context) -> None:
        """Ends what was under way when an earlier service on the same state stopped."""
        self._context = context
        self.faults = context.faults
        self.operations: Mapping[str, Operation] = {name: partial(operation, context) for name, operation in OPERATIONS.items()}
        check_operations(self.operations)
        context.store.runs.fail_interrupted(context.clock())

    def start_find_matches(self, asked: Parameters) -> str:
        """Matches the transform's table (see run_operations); gives the task run's id. Raises GlueError."""
        run_id: str = runs.start_find_matches(self._context, asked)["TaskRunId"]
        return run_id

    def close(self) -> None:
        """Stops all work, keeps all state. What was under way shows as FAILED once a service opens the state again."""
        self._context.supervisor.close()
        self._context.store.close()
        self._context.aws.close()


def build_service(
    state_folder: Path,
    aws: AwsEndpoint | Aws,
    *,
    settings: Settings | None = None,
    faults: FaultPlan | None = None,
    catalog: Catalog | None = None,
    workers: Workers | None = None,
    account_id: str = ACCOUNT_ID,
    clock: Callable[[], float] = time.time,
) -> GlueService:
    """The service on a state folder. Raises database.StateInUse if another one works there.

    With an AwsEndpoint, runs work in processes that make their own clients. With an Aws (ports of this process, such as
    moto's clients), they work in threads of this process, and `catalog` may stand in for the Data Catalog.
    `workers` do the runs' work instead, where a test is not about that work.
    """
    chosen, switches, store = settings or Settings(), Faults(faults), Store(state_folder)
    given = aws if isinstance(aws, Aws) else connect(aws)
    ports = given if catalog is None else Aws(catalog, given.objects)
    if workers is None:
        workers = ThreadWorkers(ports) if isinstance(aws, Aws) else ProcessWorkers(aws, chosen.warm_workers)
    supervisor = Supervisor(store, workers, chosen, clock, held=lambda: switches.plan.hold_runs)
    return GlueService(Context(store, ports, supervisor, chosen, switches, account_id, clock))
