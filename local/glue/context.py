"""What every operation works with, and the look-ups that every operation makes."""

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

Parameters = Mapping[str, Any]
Output = dict[str, Any]


@dataclass(frozen=True)
class Context:
    store: Store
    aws: Aws
    supervisor: Supervisor
    settings: Settings
    faults: Faults
    account_id: str
    clock: Callable[[], float]


def transform_of(context: Context, asked: Parameters) -> StoredTransform:
    """Raises EntityNotFoundException."""
    found = context.store.transforms.find(asked["TransformId"])
    if found is None:
        raise errors.transform_not_found(context.account_id, asked["TransformId"])
    return found


def ready_transform_of(context: Context, asked: Parameters) -> StoredTransform:
    """Raises EntityNotFoundException, MLTransformNotReadyException."""
    transform = transform_of(context, asked)
    if transform.document["Status"] != READY:
        raise errors.not_ready()
    return transform


def run_of(context: Context, asked: Parameters) -> TaskRun:
    """Raises EntityNotFoundException, for the transform or for the run."""
    transform = transform_of(context, asked)
    found = context.store.runs.find(transform.transform_id, asked["TaskRunId"])
    if found is None:
        raise errors.task_run_not_found(context.account_id, transform.transform_id, asked["TaskRunId"])
    return found


def with_token(output: Output, token: str | None) -> Output:
    return output if token is None else {**output, "NextToken": token}
