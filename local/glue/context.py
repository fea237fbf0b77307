"""The dependencies of every operation, and the lookups they share."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local.glue import errors
from local.glue.aws import Aws
from local.glue.faults import Faults
from local.glue.settings import Settings
from local.glue.store import Store
from local.glue.supervisor import Supervisor
from local.glue.task_runs import TaskRun
from local.glue.transform_store import StoredTransform
from local.glue.transforms import READY

Request = Mapping[str, Any]
Response = dict[str, Any]


@dataclass(frozen=True)
class Context:
    store: Store
    aws: Aws
    supervisor: Supervisor
    settings: Settings
    faults: Faults
    account_id: str
    clock: Callable[[], float]


def require_transform(context: Context, request: Request) -> StoredTransform:
    """Raises EntityNotFoundException."""
    transform = context.store.transforms.find(request["TransformId"])
    if transform is None:
        raise errors.transform_not_found(context.account_id, request["TransformId"])
    return transform


def require_ready_transform(context: Context, request: Request) -> StoredTransform:
    """Raises EntityNotFoundException, MLTransformNotReadyException."""
    transform = require_transform(context, request)
    if transform.document["Status"] != READY:
        raise errors.not_ready()
    return transform


def require_run(context: Context, request: Request) -> TaskRun:
    """Raises EntityNotFoundException, for the transform or for the run."""
    transform = require_transform(context, request)
    run = context.store.runs.find(transform.transform_id, request["TaskRunId"])
    if run is None:
        raise errors.task_run_not_found(context.account_id, transform.transform_id, request["TaskRunId"])
    return run


def with_next_token(response: Response, token: str | None) -> Response:
    return response if token is None else {**response, "NextToken": token}
