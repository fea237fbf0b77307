"""A local cloud of the harness's own: nothing runs in it by itself, so that every handler run is one that a case asked for."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.cloud import process
from local.cloud.stack import Stack, deploy
from local.sample_table import Records, load

HELD_FOLDER = "CHAOS_HELD_FOLDER"  # a file of a transform's name in it keeps the transform's runs RUNNING
FAILING = ".exports-fail"  # appended to that name: the transform's exports fail
NO_LABELS = "no-labels"  # an import of a path with this in it brings none
COLUMNS = ("pk", "name")
LABELS = "labeling_set_id,label,pk,name\ns1,A,p1,anna\ns1,A,p2,ana\ns1,B,p3,bert\n"
OTHER_LABELS = LABELS.replace("s1,B,", "s1,C,")
# What the handlers run with, over what is deployed: a case should not have to wait.
ENVIRONMENT = {"CONFIRM_AFTER_SECONDS": "10", "START_DEADLINE_SECONDS": "1000"}
_NEVER = "rate(1000 days)"


@dataclass(frozen=True)
class Ground:
    """Where the cases take place. `held` is the folder that the cloud looks into, see host.py."""

    stack: Stack
    held: Path
    log: Path
    host: int  # the cloud's process id
    clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:  # noqa: ANN401  boto3 makes clients at run time
        """The harness's own look at AWS, without faults."""
        if service not in self.clients:
            self.clients[service] = self.stack.client(service)
        return self.clients[service]

    @property
    def table(self) -> str:
        return self.stack.env["LEDGER_TABLE"]

    def s3_path(self, key: str) -> str:
        return f"s3://{self.stack.bucket}/{key}"

    def transform(self, name: str) -> str:
        made = self.client("glue").create_ml_transform(
            Name=name,
            Role="arn:aws:iam::000000000000:role/glue",
            InputRecordTables=[{"DatabaseName": "label_loop", "TableName": "records"}],
            Parameters={"TransformType": "FIND_MATCHES", "FindMatchesParameters": {"PrimaryKeyColumnName": "pk"}},
        )
        return str(made["TransformId"])

    def hold(self, transform_id: str) -> None:
        (self.held / transform_id).touch()

    def let_exports_fail(self, transform_id: str) -> None:
        (self.held / f"{transform_id}{FAILING}").touch()

    def release(self, transform_id: str) -> None:
        """Let the transform's runs end, and end well."""
        for name in (transform_id, f"{transform_id}{FAILING}"):
            (self.held / name).unlink(missing_ok=True)


@contextmanager
def chaos_cloud(folder: Path, *, by_itself: bool = False) -> Iterator[Ground]:
    """A local cloud with our template deployed to it; unless it runs `by_itself`, its clock, stream and uploads are off."""
    held = folder / "held"
    held.mkdir(parents=True)
    cloud = _start(folder, held)
    try:
        stack = deploy(cloud.endpoint, {} if by_itself else {"ReconcileSchedule": _NEVER})
        if not by_itself:
            _let_nothing_happen_by_itself(stack)
        rows = [{"pk": f"p{number}", "name": name} for number, name in enumerate(("anna", "ana", "bert", "berta"), start=1)]
        load(stack, Records(COLUMNS, rows, "pk", None))
        yield Ground(stack, held, folder / "log", cloud.pid)
    finally:
        process.stop(cloud)


def _start(folder: Path, held: Path) -> process.CloudProcess:
    """As local.cloud.process.start does, with a host of our own."""
    port, scratch = process.free_port(), folder / "tmp"
    scratch.mkdir()
    command = [sys.executable, "-m", "tests.chaos.host", "--state", str(folder / "glue"), "--region", process.REGION]
    command += ["--access-key-id", process.ACCESS_KEY, "--secret-access-key", process.SECRET_KEY]
    command += ["--bind", f"{process.HOST}:{port}"]
    if translator := process._sam_translator():  # noqa: SLF001  part of the same laptop
        command += ["--sam-translator", str(translator)]
    environment = process._environment(os.environ, port, scratch)  # noqa: SLF001  part of the same laptop
    # Role checks are local.cloud.lifecycle's own tests' matter, and cost a third of every call; log lines as well.
    environment |= {HELD_FOLDER: str(held), "AUTH": "false", "LOG_LEVEL": "WARNING"}
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen(  # noqa: S603  our own process by argument list
            command, cwd=process.ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
    cloud = process.CloudProcess(child.pid, port, folder, child)
    try:
        process._wait_until_it_answers(cloud)  # noqa: SLF001  part of the same laptop
    except BaseException:
        process.stop(cloud)
        raise
    return cloud


def _let_nothing_happen_by_itself(stack: Stack) -> None:
    functions = stack.client("lambda")
    for mapping in functions.list_event_source_mappings()["EventSourceMappings"]:
        functions.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
    stack.client("s3").put_bucket_notification_configuration(Bucket=stack.bucket, NotificationConfiguration={})
