"""One start is three AWS calls, one replay is one: counted at the real adapters, wired as they are deployed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import pytest
from botocore.awsrequest import AWSRequest
from moto import mock_aws

from core.aws.glue import GlueTaskRuns
from core.cancel import cancel
from core.paths import AllowedPrefixes
from core.ports import Dependencies
from core.reconcile import reconcile
from core.requests import StartCommand
from core.runs import Status
from core.start import start
from handlers import wiring
from local.cloud.template import ledger_table
from local.glue.in_process import answer_in_process
from tests.contract.glue_sides import session
from tests.fakes.loop import import_command, labeling_command
from tests.glue_emulator.lab import TWO_SETS, Bench


@dataclass
class Counted:
    """Worlds on moto and the engine, wired as in a process each, and the AWS calls that were made, attempts included."""

    another_process: Callable[[], Dependencies]
    transform_id: str
    bucket: str
    calls: list[str] = field(default_factory=list)

    @cached_property
    def deps(self) -> Dependencies:
        return self.another_process()

    def since(self) -> list[str]:
        made = list(self.calls)
        self.calls.clear()
        return made

    def labeling(self, key: str = "key") -> StartCommand:
        return labeling_command(key, self.transform_id, output=f"s3://{self.bucket}/sets")

    def importing(self, key: str = "key") -> StartCommand:
        return import_command(key, self.transform_id, f"s3://{self.bucket}/labels/one.csv")


@pytest.fixture
def counted(tmp_path: Path) -> Iterator[Counted]:
    with mock_aws(config={"core": {"passthrough": {"services": ["glue"]}}}):
        ours = session()
        s3, dynamodb = ours.client("s3"), ours.client("dynamodb")
        dynamodb.create_table(TableName="ledger", **ledger_table())
        bench = Bench(s3, {})
        lab, service = bench.open(tmp_path / "engine")
        lab.switch_faults({"holdRuns": True})
        lab.put("labels/one.csv", TWO_SETS)
        transform_id, calls = lab.transform(), list[str]()

        def note(request: AWSRequest, operation_name: str, **_: object) -> None:
            assert request.url
            calls.append(operation_name)

        ours.events.register("request-created", note)
        answer_in_process(ours.events, service)
        settings = {"LEDGER_TABLE": "ledger", "ALLOWED_S3_PREFIXES": f"s3://{lab.bucket}/"}
        made = Counted(lambda: wiring.build_dependencies(settings, ours), transform_id, lab.bucket, calls)
        assert isinstance(made.deps.glue, GlueTaskRuns)
        yield made
        service.close()
        for client in (*bench.clients, s3, dynamodb):
            client.close()


@pytest.mark.parametrize(
    ("kind", "ask"),
    [
        ("labeling", ["StartMLLabelingSetGenerationTaskRun"]),
        # its label file is checked first, against the transform's columns
        ("importing", ["GetMLTransform", "GetObject", "StartImportLabelsTaskRun"]),
    ],
)
def test_one_start_is_three_calls_an_import_two_more_and_one_replay_is_one(counted: Counted, kind: str, ask: list[str]) -> None:
    order: StartCommand = getattr(counted, kind)()
    accepted = start(order, counted.deps)
    assert accepted.run.status is Status.STARTING
    assert counted.since() == ["TransactWriteItems", *ask, "PutItem"]
    again = start(replace(order, causation_id="another"), counted.deps)
    assert (again.replayed, again.run) == (True, accepted.run)
    assert counted.since() == ["GetItem"]


def test_a_replay_that_meets_another_process_is_one_call_there_too(counted: Counted) -> None:
    accepted = start(counted.labeling(), counted.deps)
    counted.since()
    elsewhere = counted.another_process()
    for call in ("TransactWriteItems", "GetItem"):  # which has met the run by then, and need not try to write it
        again = start(counted.labeling(), elsewhere)
        assert (again.replayed, again.run) == (True, accepted.run)
        assert counted.since() == [call]


def test_a_refused_start_is_three_calls_too(counted: Counted) -> None:
    order = labeling_command(transform_id="tfm-none", output=f"s3://{counted.bucket}/sets")
    assert start(order, counted.deps).run.status is Status.REFUSED
    assert len(counted.since()) == 3


def test_a_forbidden_path_is_no_call_at_all(counted: Counted) -> None:
    deps = replace(counted.deps, policy=replace(counted.deps.policy, allowed=AllowedPrefixes(())))
    with pytest.raises(Exception, match="not allowed"):
        start(counted.labeling(), deps)
    assert counted.since() == []


def test_who_finds_a_queue_joins_it_in_two_calls(counted: Counted) -> None:
    for number in range(4):
        start(counted.labeling(f"key-{number}"), counted.deps)
    counted.since()
    assert start(counted.labeling("late"), counted.deps).run.status is Status.QUEUED
    assert counted.since() == ["TransactWriteItems", "TransactWriteItems"]


def test_a_round_without_news_is_one_read_and_one_listing_a_transform(counted: Counted) -> None:
    for number in range(3):
        start(counted.labeling(f"key-{number}"), counted.deps)
    counted.since()
    reconcile(counted.deps)
    assert counted.since() == ["Query", "GetMLTaskRuns"]


def test_a_cancellation_is_three_calls(counted: Counted) -> None:
    run = start(counted.labeling(), counted.deps).run
    counted.since()
    cancel(run.id, counted.deps)
    assert counted.since() == ["GetItem", "CancelMLTaskRun", "PutItem"]
