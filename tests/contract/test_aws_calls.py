"""A start takes three AWS calls, a replay one: counted at the real adapters, wired as deployed."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import pytest
from botocore.awsrequest import AWSRequest
from moto import mock_aws

from core.aws.glue import GlueTaskRuns
from core.cancel import cancel
from core.open_runs import SHARDS
from core.paths import AllowedPrefixes
from core.ports import Dependencies, RunFilter
from core.queries import list_runs
from core.reconcile import reconcile
from core.requests import StartCommand
from core.runs import Status
from core.start import start
from handlers import wiring
from local.cloud.template import ledger_table
from local.glue.in_process import answer_in_process
from tests.contract.glue_backends import session
from tests.fakes.service import import_command, labeling_command
from tests.glue_emulator.emulator import EmulatorFactory
from tests.glue_emulator.people import TWO_SETS


@dataclass
class CallCounter:
    """The service on moto and the Glue emulator, and every AWS call it makes, retries included.

    `another_process()` wires it again, as a second process would.
    """

    another_process: Callable[[], Dependencies]
    transform_id: str
    bucket: str
    calls: list[str] = field(default_factory=list)

    @cached_property
    def deps(self) -> Dependencies:
        return self.another_process()

    def take(self) -> list[str]:
        """The calls since the last `take`."""
        calls = list(self.calls)
        self.calls.clear()
        return calls

    def labeling(self, key: str = "key") -> StartCommand:
        return labeling_command(key, self.transform_id, output=f"s3://{self.bucket}/sets")

    def importing(self, key: str = "key") -> StartCommand:
        return import_command(key, self.transform_id, f"s3://{self.bucket}/labels/tfm-1.csv")


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[CallCounter]:
    with mock_aws(config={"core": {"passthrough": {"services": ["glue"]}}}):
        aws = session()
        s3, dynamodb = aws.client("s3"), aws.client("dynamodb")
        dynamodb.create_table(TableName="ledger", **ledger_table())
        emulators = EmulatorFactory(s3, {})
        emulator, service = emulators.start(tmp_path / "emulator")
        emulator.set_faults({"holdRuns": True})
        emulator.put_object("labels/tfm-1.csv", TWO_SETS)
        transform_id, calls = emulator.create_transform(), list[str]()

        def note(request: AWSRequest, operation_name: str, **_: object) -> None:
            assert request.url
            calls.append(operation_name)

        aws.events.register("request-created", note)
        answer_in_process(aws.events, service)
        settings = {"LEDGER_TABLE": "ledger", "ALLOWED_S3_PREFIXES": f"s3://{emulator.bucket}/"}
        counter = CallCounter(lambda: wiring.build_dependencies(settings, aws), transform_id, emulator.bucket, calls)
        assert isinstance(counter.deps.glue, GlueTaskRuns)
        yield counter
        service.close()
        for client in (*emulators.clients, s3, dynamodb):
            client.close()


@pytest.mark.parametrize(
    ("kind", "calls"),
    [
        ("labeling", ["StartMLLabelingSetGenerationTaskRun"]),
        # the label file is first checked against the transform's columns
        ("importing", ["GetMLTransform", "GetObject", "StartImportLabelsTaskRun"]),
    ],
)
def test_start_takes_three_calls_import_five_and_replay_one(counter: CallCounter, kind: str, calls: list[str]) -> None:
    command: StartCommand = getattr(counter, kind)()
    accepted = start(command, counter.deps)
    assert accepted.run.status is Status.STARTING
    assert counter.take() == ["TransactWriteItems", *calls, "PutItem"]
    again = start(command._replace(causation_id="another"), counter.deps)
    assert (again.replayed, again.run) == (True, accepted.run)
    assert counter.take() == ["GetItem"]


def test_replay_in_another_process_takes_one_call(counter: CallCounter) -> None:
    accepted = start(counter.labeling(), counter.deps)
    counter.take()
    other_process = counter.another_process()
    for call in ("TransactWriteItems", "GetItem"):  # the second time, the process knows that the run exists
        again = start(counter.labeling(), other_process)
        assert (again.replayed, again.run) == (True, accepted.run)
        assert counter.take() == [call]


def test_refused_start_takes_three_calls(counter: CallCounter) -> None:
    command = labeling_command(transform_id="tfm-none", output=f"s3://{counter.bucket}/sets")
    assert start(command, counter.deps).run.status is Status.REFUSED
    assert len(counter.take()) == 3


def test_forbidden_path_is_refused_after_one_read(counter: CallCounter) -> None:
    deps = replace(counter.deps, policy=replace(counter.deps.policy, allowed_prefixes=AllowedPrefixes(())))
    with pytest.raises(Exception, match="not allowed"):
        start(counter.labeling(), deps)
    assert counter.take() == ["GetItem"]  # it may be a replay of a request from before the paths were narrowed


def test_joining_a_queue_takes_two_calls(counter: CallCounter) -> None:
    for number in range(4):
        start(counter.labeling(f"key-{number}"), counter.deps)
    counter.take()
    assert start(counter.labeling("late"), counter.deps).run.status is Status.QUEUED
    assert counter.take() == ["TransactWriteItems", "TransactWriteItems"]


def test_reconcile_without_changes_takes_a_query_per_shard_and_a_listing_per_transform(counter: CallCounter) -> None:
    for number in range(3):
        start(counter.labeling(f"key-{number}"), counter.deps)
    counter.take()
    reconcile(counter.deps)
    assert Counter(counter.take()) == {"GetItem": 1, "Query": len(SHARDS), "GetMLTaskRuns": 1}


def test_list_of_a_callers_runs_takes_two_calls(counter: CallCounter) -> None:
    runs = [start(counter.labeling(f"key-{number}"), counter.deps).run for number in range(3)]
    counter.take()
    assert list_runs(RunFilter(), "alice", 50, None, counter.deps).items == tuple(reversed(runs))
    assert counter.take() == ["Query", "BatchGetItem"]
    assert list_runs(RunFilter(), "bob", 50, None, counter.deps).items == ()
    assert counter.take() == ["Query"]


def test_cancellation_takes_three_calls(counter: CallCounter) -> None:
    run = start(counter.labeling(), counter.deps).run
    counter.take()
    cancel(run.id, counter.deps)
    assert counter.take() == ["GetItem", "CancelMLTaskRun", "PutItem"]
