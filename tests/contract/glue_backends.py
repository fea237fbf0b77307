"""Backends of the Glue port: the fake, and the adapter on the Glue emulator, in process or on the local cloud."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from boto3.session import Session
from moto import mock_aws

from core.aws.glue import GlueTaskRuns
from core.ports import Glue
from core.runs import Run, Status
from handlers import wiring
from local.cloud.process import CloudProcess
from tests.contract.credentials import CREDENTIALS
from tests.contract.sample_runs import evaluating, exporting, importing, labeling
from tests.fakes.glue import FakeGlue, Fault
from tests.glue_emulator.emulator import Emulator, EmulatorFactory
from tests.glue_emulator.people import LABELS_OF_HALF
from tests.glue_emulator.servers import Servers, emulator_over_http

ENVIRONMENT = {"LEDGER_TABLE": "ledger", "ALLOWED_S3_PREFIXES": ""}
# As deployed, so named here that a type checker sees them renamed.
STARTER_CONFIG, READER_CONFIG = wiring._NO_RETRIES, wiring._WITH_RETRIES  # noqa: SLF001
FAULTS = {
    Fault.LOST_AFTER: "lost-reply",
    Fault.LOST_BEFORE: "lost-request",
    Fault.THROTTLED: "throttling",
}


@dataclass(frozen=True)
class Backend:
    """A Glue port with one transform; `labeling` and `importing` are runs that it accepts, and once it has labels the others.

    `inject(fault)` makes the next start fail; `finish(task_run_id)` lets a task run succeed.
    """

    glue: Glue
    labeling: Run
    importing: Run
    evaluating: Run
    exporting: Run
    inject: Callable[[Fault], None]
    finish: Callable[[str], None]

    @property
    def transform_id(self) -> str:
        return self.labeling.transform_id or ""


def fake_backend() -> Backend:
    glue = FakeGlue(lambda: datetime.now(UTC))
    return Backend(
        glue,
        labeling(),
        importing(),
        evaluating(),
        exporting(),
        inject=glue.faults.append,
        finish=lambda id_: discard(glue.set_status(id_, Status.SUCCEEDED)),
    )


@contextmanager
def in_process_backend(folder: Path) -> Iterator[Backend]:
    with mock_aws(config={"core": {"passthrough": {"services": ["glue"]}}}):
        s3 = boto3.client("s3", **CREDENTIALS)
        emulators = EmulatorFactory(s3, {})
        emulator, _ = emulators.start(folder)
        yield emulator_backend(emulator)
        for service in emulators.services:
            service.close()
        for client in (*emulators.clients, s3):
            client.close()


@contextmanager
def cloud_backend(cloud: CloudProcess) -> Iterator[Backend]:
    with emulator_over_http_of(cloud) as emulator:
        yield emulator_backend(emulator)


def emulator_backend(emulator: Emulator) -> Backend:
    transform_id = emulator.create_transform()
    label_file = emulator.put_object("labels/tfm-1.csv", LABELS_OF_HALF)
    emulator.set_faults({"holdRuns": True})

    def inject(fault: Fault) -> None:
        emulator.set_faults({"holdRuns": True, "calls": [{"kind": FAULTS[fault]}]})

    def finish(task_run_id: str) -> None:
        emulator.set_faults({})
        emulator.wait_until_ended(transform_id, task_run_id)

    return Backend(
        GlueTaskRuns(starter=emulator.new_client(STARTER_CONFIG), client=emulator.new_client(READER_CONFIG)),
        replace(labeling(), transform_id=transform_id, path=f"s3://{emulator.bucket}/sets/{labeling().id}/"),
        replace(importing(), transform_id=transform_id, path=label_file),
        replace(evaluating(), transform_id=transform_id),
        replace(exporting(), transform_id=transform_id, path=f"s3://{emulator.bucket}/exports/{exporting().id}/"),
        inject,
        finish,
    )


def emulator_over_http_of(cloud: CloudProcess) -> Any:  # noqa: ANN401  a context manager
    return emulator_over_http(Servers(aws_url=cloud.endpoint, glue_url=cloud.endpoint))


def discard(_: object) -> None:
    """Drop a return value, so that a lambda returns None."""


def session() -> Session:
    return Session(**CREDENTIALS)
