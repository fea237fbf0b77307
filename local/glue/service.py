"""Glue's ML part: the 13 operations over a store, a supervisor of task runs, and the rest of AWS."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from local.glue import errors, task_runs, transforms
from local.glue.aws import Aws, Catalog, S3Path, Unavailable, connect, parse_s3_path
from local.glue.faults import FaultPlan, Faults
from local.glue.label_files import LabelledRow
from local.glue.labels import append
from local.glue.listing import page_of_runs, page_of_transforms
from local.glue.protocol import Operation, check_operations
from local.glue.settings import AwsEndpoint, Settings
from local.glue.store import Store, StoredTransform
from local.glue.supervisor import Assignment, Supervisor
from local.glue.task_runs import TaskRun
from local.glue.work import Job, Outcome
from local.glue.workers import ProcessWorkers, ThreadWorkers, Workers

ACCOUNT_ID = "000000000000"
CONCURRENT = "ConcurrentRunsExceededException"


class GlueService:
    """Answers the ML operations; safe from any thread. `close` it when done.

    Each operation takes its parsed parameters and gives its output, both in the shapes of botocore's model, and raises
    errors.GlueError as the model allows.
    """

    def __init__(
        self,
        store: Store,
        aws: Aws,
        workers: Workers,
        *,
        settings: Settings,
        faults: Faults,
        account_id: str,
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._aws = aws
        self._settings = settings
        self._account_id = account_id
        self._clock = clock
        self._supervisor = Supervisor(store, workers, settings, clock)
        self.faults = faults
        self.operations: Mapping[str, Operation] = {
            "CreateMLTransform": self._create_transform,
            "GetMLTransform": self._get_transform,
            "GetMLTransforms": self._get_transforms,
            "ListMLTransforms": self._list_transforms,
            "UpdateMLTransform": self._update_transform,
            "DeleteMLTransform": self._delete_transform,
            "StartMLLabelingSetGenerationTaskRun": self._start_labeling_set,
            "StartImportLabelsTaskRun": self._start_import,
            "StartExportLabelsTaskRun": self._start_export,
            "StartMLEvaluationTaskRun": self._start_evaluation,
            "GetMLTaskRun": self._get_run,
            "GetMLTaskRuns": self._get_runs,
            "CancelMLTaskRun": self._cancel_run,
        }
        check_operations(self.operations)
        store.fail_interrupted(clock())

    def close(self) -> None:
        """Stops all work, keeps all state. What was under way shows as FAILED once a service opens the state again."""
        self._supervisor.close()
        self._store.close()
        self._aws.close()

    def start_find_matches(self, asked: Mapping[str, Any]) -> str:
        """Matches the transform's table; the API has no operation for it (in AWS a Glue job does it).

        `asked`: TransformId, OutputS3Path, Format (csv, json, parquet) and, to keep match ids that rows already have,
        KnownMatchesS3Path: an earlier output. Gives the task run's id.
        """
        transform = self._ready_transform(asked["TransformId"])
        _output_path(asked["OutputS3Path"])
        if asked.get("KnownMatchesS3Path"):
            _output_path(asked["KnownMatchesS3Path"])
        if asked.get("Format", "csv") not in ("csv", "json", "parquet"):
            raise errors.invalid_input(f"Format {asked['Format']} is not one of csv, json, parquet.")
        properties = task_runs.find_matches_properties(f"find-matches-{transform.document['Name']}"[:255])
        details = {
            "path": asked["OutputS3Path"],
            "output_format": asked.get("Format", "csv"),
            "known_path": asked.get("KnownMatchesS3Path", ""),
        }
        return self._start(transform, properties, CONCURRENT, details)

    # Transforms

    def _create_transform(self, asked: dict[str, Any]) -> dict[str, Any]:
        transform_id = task_runs.new_transform_id()
        document = transforms.describe_new(transform_id, asked, self._aws.catalog, self._clock())
        with self._store.transaction():
            count, limit = len(self._store.transforms()), self._settings.transforms_per_account
            if self._store.transform_named(asked["Name"]):
                raise errors.name_taken(asked["Name"])
            if count >= limit:
                raise errors.too_many_transforms(count, limit)
            self._store.add_transform(transform_id, document, asked.get("Tags", {}))
        return {"TransformId": transform_id}

    def _get_transform(self, asked: dict[str, Any]) -> dict[str, Any]:
        return self._shown(self._transform(asked["TransformId"]), self._store.label_counts())

    def _get_transforms(self, asked: dict[str, Any]) -> dict[str, Any]:
        page, counts = page_of_transforms(self._store.transforms(), asked), self._store.label_counts()
        return _with_token({"Transforms": [self._shown(item, counts) for item in page.items]}, page.next_token)

    def _list_transforms(self, asked: dict[str, Any]) -> dict[str, Any]:
        page = page_of_transforms(self._store.transforms(), asked)
        return _with_token({"TransformIds": [item.transform_id for item in page.items]}, page.next_token)

    def _update_transform(self, asked: dict[str, Any]) -> dict[str, Any]:
        with self._store.transaction():
            transform = self._transform(asked["TransformId"])
            changes = transforms.describe_changes(transform.document, asked)
            namesake = self._store.transform_named(changes.get("Name", ""))
            if namesake is not None and namesake.transform_id != transform.transform_id:
                raise errors.invalid_input(f"Another transform with name {changes['Name']} already exists.")
            self._store.change_transform(transform.transform_id, changes, self._clock())
        return {"TransformId": transform.transform_id}

    def _delete_transform(self, asked: dict[str, Any]) -> dict[str, Any]:
        transform = self._transform(asked["TransformId"])
        active = [run.run_id for run in self._store.runs(transform.transform_id) if run.is_active]
        self._store.remove_transform(transform.transform_id)
        for run_id in active:
            self._supervisor.stop(run_id)
        return {"TransformId": transform.transform_id}

    # Task runs

    def _start_labeling_set(self, asked: dict[str, Any]) -> dict[str, Any]:
        transform = self._transform(asked["TransformId"])
        _output_path(asked["OutputS3Path"])
        properties = task_runs.labeling_set_properties(asked["OutputS3Path"])
        return {"TaskRunId": self._start(transform, properties, CONCURRENT, {"path": asked["OutputS3Path"]})}

    def _start_import(self, asked: dict[str, Any]) -> dict[str, Any]:
        transform = self._transform(asked["TransformId"])
        self._check_label_file(asked["InputS3Path"])
        replace = asked.get("ReplaceAllLabels", False)
        properties = task_runs.import_properties(asked["InputS3Path"], replace=replace)
        too_many = "ResourceNumberLimitExceededException"
        return {"TaskRunId": self._start(transform, properties, too_many, {"path": asked["InputS3Path"]})}

    def _start_export(self, asked: dict[str, Any]) -> dict[str, Any]:
        transform = self._transform(asked["TransformId"])
        _output_path(asked["OutputS3Path"])
        if not self._store.labels(transform.transform_id):
            raise errors.no_labels(self._account_id, transform.transform_id)
        properties = task_runs.export_properties(asked["OutputS3Path"])
        # The model gives this operation no exception of its own for limits.
        too_many = "InvalidInputException"
        return {"TaskRunId": self._start(transform, properties, too_many, {"path": asked["OutputS3Path"]})}

    def _start_evaluation(self, asked: dict[str, Any]) -> dict[str, Any]:
        transform = self._ready_transform(asked["TransformId"])
        return {"TaskRunId": self._start(transform, task_runs.evaluation_properties(), CONCURRENT, {})}

    def _get_run(self, asked: dict[str, Any]) -> dict[str, Any]:
        return self._run(asked).wire()

    def _get_runs(self, asked: dict[str, Any]) -> dict[str, Any]:
        transform = self._transform(asked["TransformId"])
        listed_until = self._clock() - self.faults.plan.listing_delay_seconds
        runs = [run for run in self._store.runs(transform.transform_id) if run.started_on <= listed_until]
        page = page_of_runs(runs, asked)
        return _with_token({"TaskRuns": [run.wire() for run in page.items]}, page.next_token)

    def _cancel_run(self, asked: dict[str, Any]) -> dict[str, Any]:
        run = self._run(asked)
        if self._store.move_run(run.run_id, task_runs.STOPPING, self._clock()):
            self._supervisor.stop(run.run_id)
        now = self._run(asked)
        return {"TransformId": now.transform_id, "TaskRunId": now.run_id, "Status": now.status}

    # How a run starts, and what it leaves behind

    def _start(self, transform: StoredTransform, properties: dict[str, Any], too_many: str, details: Mapping[str, Any]) -> str:
        now, transform_id = self._clock(), transform.transform_id
        kind = properties["TaskType"]
        run = TaskRun(task_runs.new_run_id(), transform_id, kind, task_runs.STARTING, properties, now, now)
        with self._store.transaction():
            self._transform(transform_id)
            self._check_slots(transform_id, too_many, now)
            earlier = sum(1 for other in self._store.runs(transform_id) if other.kind == kind)
            self._store.add_run(run)
        details = {**details, "seed": earlier if kind == task_runs.LABELING_SET_GENERATION else 0}
        self._supervisor.begin(
            Assignment(
                run=run,
                prepare=lambda: self._job(run, details),
                keep=lambda outcome: self._keep(run, outcome),
                timeout_minutes=transform.document["Timeout"],
                attempts=1 + transform.document["MaxRetries"],
            )
        )
        return run.run_id

    def _check_slots(self, transform_id: str, too_many: str, now: float) -> None:
        released = now - self.faults.plan.slot_release_seconds
        of_transform, of_account = self._store.count_busy(released, transform_id), self._store.count_busy(released)
        if of_transform >= self._settings.runs_per_transform:
            raise errors.too_many_runs_of_transform(too_many, of_transform, self._settings.runs_per_transform)
        if of_account >= self._settings.runs_per_account:
            raise errors.too_many_runs_of_account(too_many, of_account, self._settings.runs_per_account)

    def _job(self, run: TaskRun, details: Mapping[str, Any]) -> Job:
        transform = self._transform(run.transform_id)
        parameters = transform.document["Parameters"]["FindMatchesParameters"]
        return Job(
            kind=run.kind,
            transform_id=run.transform_id,
            run_id=run.run_id,
            table=transforms.input_table(transform.document["InputRecordTables"]),
            primary_key=parameters["PrimaryKeyColumnName"],
            started_on=run.started_on,
            parameters=parameters,
            labels=tuple(self._store.labels(run.transform_id)),
            **details,
        )

    def _keep(self, run: TaskRun, outcome: Outcome) -> None:
        if outcome.metrics is not None:
            metrics = {"TransformType": "FIND_MATCHES", "FindMatchesMetrics": outcome.metrics}
            self._store.change_transform(run.transform_id, {"EvaluationMetrics": metrics}, self._clock())
        if outcome.labels is not None:
            replace = run.properties["ImportLabelsTaskRunProperties"]["Replace"]
            earlier: list[LabelledRow] = [] if replace else self._store.labels(run.transform_id)
            self._store.replace_labels(run.transform_id, append(earlier, outcome.labels))
            self._store.change_transform(run.transform_id, {"Status": transforms.READY}, self._clock())

    # Look-ups

    def _transform(self, transform_id: str) -> StoredTransform:
        found = self._store.transform(transform_id)
        if found is None:
            raise errors.transform_not_found(self._account_id, transform_id)
        return found

    def _ready_transform(self, transform_id: str) -> StoredTransform:
        transform = self._transform(transform_id)
        if transform.document["Status"] != transforms.READY:
            raise errors.not_ready()
        return transform

    def _run(self, asked: Mapping[str, Any]) -> TaskRun:
        transform = self._transform(asked["TransformId"])
        found = self._store.run(transform.transform_id, asked["TaskRunId"])
        if found is None:
            raise errors.task_run_not_found(self._account_id, transform.transform_id, asked["TaskRunId"])
        return found

    def _shown(self, transform: StoredTransform, label_counts: Mapping[str, int]) -> dict[str, Any]:
        return {**transform.document, "LabelCount": label_counts.get(transform.transform_id, 0)}

    def _check_label_file(self, path: str) -> None:
        """What Glue checks before it starts an import."""
        try:
            where: S3Path = parse_s3_path(path)
        except ValueError as error:
            raise errors.invalid_input("Invalid label file path.") from error
        if not where.key or where.key.endswith("/"):
            raise errors.invalid_input("Invalid label file path.")
        try:
            size = self._aws.objects.size(where)
        except Unavailable as error:
            raise errors.invalid_input(f"Cannot access the label file at {path}. {error}.") from error
        if size == 0:
            raise errors.invalid_input("Invalid label file of size 0.")
        if size > self._settings.label_file_mb * 1024 * 1024:
            raise errors.label_file_too_big(self._settings.label_file_mb)


def build_service(
    state_folder: Path,
    aws: AwsEndpoint | Aws,
    *,
    settings: Settings | None = None,
    faults: FaultPlan | None = None,
    catalog: Catalog | None = None,
    account_id: str = ACCOUNT_ID,
    clock: Callable[[], float] = time.time,
) -> GlueService:
    """The service on a state folder. Raises store.StateInUse if another one works there.

    With an AwsEndpoint, runs work in processes that make their own clients. With an Aws (ports of this process, such as
    moto's clients), they work in threads of this process. `catalog` stands in for the Data Catalog.
    """
    chosen = settings or Settings()
    ports = aws if isinstance(aws, Aws) else connect(aws)
    store = Store(state_folder)
    workers: Workers = (
        ThreadWorkers(ports if catalog is None else Aws(catalog, ports.objects))
        if isinstance(aws, Aws)
        else ProcessWorkers(aws, chosen.warm_workers)
    )
    return GlueService(
        store,
        ports if catalog is None else Aws(catalog, ports.objects),
        workers,
        settings=chosen,
        faults=Faults(faults),
        account_id=account_id,
        clock=clock,
    )


def _output_path(path: str) -> S3Path:
    try:
        return parse_s3_path(path)
    except ValueError as error:
        raise errors.invalid_input(str(error)) from error


def _with_token(output: dict[str, Any], token: str | None) -> dict[str, Any]:
    return output if token is None else {**output, "NextToken": token}
