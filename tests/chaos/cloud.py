"""A local cloud for the harness. Schedule, stream and upload triggers are off: only the cases run handlers."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.cloud import process
from local.cloud.stack import Stack, deploy
from local.sample_table import Records, upload_table

HELD_FOLDER = "CHAOS_HELD_FOLDER"  # environment variable; a file named after a transform keeps its task runs RUNNING
FAILING_SUFFIX = ".exports-fail"  # a file of the transform's name and this suffix makes its exports fail
NO_LABELS = "no-labels"  # an import of a path that contains this brings no labels
COLUMNS = ("pk", "name")
LABELS = "labeling_set_id,label,pk,name\ns1,A,p1,anna\ns1,A,p2,ana\ns1,B,p3,bert\n"
OTHER_LABELS = LABELS.replace("s1,B,", "s1,C,")
# Overrides of the deployed environment, so that cases need not wait.
ENVIRONMENT = {
    "CONFIRM_AFTER_SECONDS": "10",
    "START_DEADLINE_SECONDS": "1000",
    "OPERATORS": "arn:aws:iam::123456789012:role/labeling-team",  # the REST samples' caller, who cancels runs of uploads, too
}
_NEVER = "rate(1000 days)"


@dataclass(frozen=True)
class ChaosCloud:
    """The local cloud that cases run on. `held` is the folder of HELD_FOLDER, see host.py; `pid` the cloud's process."""

    stack: Stack
    held: Path
    log: Path
    pid: int
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:  # noqa: ANN401  boto3 makes clients at run time
        """A client without injected faults."""
        if service not in self.clients:
            self.clients[service] = self.stack.client(service)
        return self.clients[service]

    @property
    def table(self) -> str:
        return self.stack.env["LEDGER_TABLE"]

    def s3_path(self, key: str) -> str:
        return f"s3://{self.stack.bucket}/{key}"

    def transform(self, name: str) -> str:
        created = self.client("glue").create_ml_transform(
            Name=name,
            Role="arn:aws:iam::000000000000:role/glue",
            InputRecordTables=[{"DatabaseName": "label_loop", "TableName": "records"}],
            Parameters={"TransformType": "FIND_MATCHES", "FindMatchesParameters": {"PrimaryKeyColumnName": "pk"}},
        )
        return str(created["TransformId"])

    def hold(self, transform_id: str) -> None:
        (self.held / transform_id).touch()

    def let_exports_fail(self, transform_id: str) -> None:
        (self.held / f"{transform_id}{FAILING_SUFFIX}").touch()

    def release(self, transform_id: str) -> None:
        """Let the transform's task runs end, and succeed."""
        for name in (transform_id, f"{transform_id}{FAILING_SUFFIX}"):
            (self.held / name).unlink(missing_ok=True)

    def forget_task_runs(self, transform_id: str) -> None:
        """Remove the transform's ended task runs from the Glue emulator's store, so that it is like a new one."""
        with closing(sqlite3.connect(self.log.parent / "glue" / "glue.sqlite3", timeout=30)) as database, database:
            database.execute("DELETE FROM task_runs WHERE transform_id = ? AND completed_on IS NOT NULL", (transform_id,))


@contextmanager
def chaos_cloud(folder: Path, *, with_triggers: bool = False) -> Iterator[ChaosCloud]:
    """A local cloud with our template deployed. Its schedule, stream and upload triggers run only `with_triggers`."""
    held = folder / "held"
    held.mkdir(parents=True)
    cloud_process = _start(folder, held)
    try:
        stack = deploy(cloud_process.endpoint, {} if with_triggers else {"ReconcileSchedule": _NEVER})
        if not with_triggers:
            _disable_triggers(stack)
        rows = [{"pk": f"p{number}", "name": name} for number, name in enumerate(("anna", "ana", "bert", "berta"), start=1)]
        upload_table(stack, Records(COLUMNS, rows, "pk", None))
        yield ChaosCloud(stack, held, folder / "log", cloud_process.pid)
    finally:
        process.stop_cloud(cloud_process)


def _start(folder: Path, held: Path) -> process.CloudProcess:
    """The local cloud with tests.chaos.host; IAM checks have their own tests, and cost a third of every call."""
    environment = {HELD_FOLDER: str(held), "AUTH": "false", "LOG_LEVEL": "WARNING"}
    return process.start_cloud(folder, host_module="tests.chaos.host", environment=environment)


def _disable_triggers(stack: Stack) -> None:
    functions = stack.client("lambda")
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    stack.client("s3").put_bucket_notification_configuration(Bucket=stack.bucket, NotificationConfiguration={})


def f1_of(task_run_id: str) -> float:
    """The F1 that the harness gives an evaluation, by which its metrics can be told from those of another."""
    return int(task_run_id[-4:], 16) / 0x10000
