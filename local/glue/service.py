"""The Glue emulator's service: its operations, store and workers put together."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from local.glue import task_run_api as runs
from local.glue import transform_api as transforms
from local.glue.aws import Aws, Catalog, connect
from local.glue.context import Context, Request
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
    """The 13 ML operations. Any thread may call them; the caller calls `close` at the end.

    An operation takes a request and returns a response, both in the shapes of botocore's model, and raises the
    errors.GlueError that the model allows. `faults` may change at any time.
    """

    def __init__(self, context: Context) -> None:
        """Fails the runs that an earlier service on the same state left active."""
        self._context = context
        self.faults = context.faults
        self.operations: Mapping[str, Operation] = {name: partial(operation, context) for name, operation in OPERATIONS.items()}
        check_operations(self.operations)
        context.store.runs.fail_interrupted(context.clock())

    def start_find_matches(self, request: Request) -> str:
        """Start matching the transform's table (see task_run_api); returns the task run's id. Raises GlueError."""
        run_id: str = runs.start_find_matches(self._context, request)["TaskRunId"]
        return run_id

    def close(self) -> None:
        """Stop all work and keep all state. Active runs show as FAILED once a service opens the state again."""
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
    """The service on a state folder. Raises database.StateInUse if another service uses it.

    With an AwsEndpoint, runs execute in worker processes with clients of their own. With an Aws (for example moto's
    clients), they execute in threads of this process, and `catalog` may replace the Data Catalog. `workers` replaces
    the workers, for tests in which runs need no real work.
    """
    settings, switches, store = settings or Settings(), Faults(faults), Store(state_folder)
    ports = aws if isinstance(aws, Aws) else connect(aws)
    ports = ports if catalog is None else Aws(catalog, ports.objects)
    if workers is None:
        workers = ThreadWorkers(ports) if isinstance(aws, Aws) else ProcessWorkers(aws, settings.warm_workers)
    supervisor = Supervisor(store, workers, settings, clock, is_held=lambda: switches.plan.hold_runs)
    return GlueService(Context(store, ports, supervisor, settings, switches, account_id, clock))
