"""AWS calls of one reconcile: a listing per transform, a write per ended run, where it begins, and the pages of the index."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from moto import mock_aws

from core.open_runs import SHARDS
from core.ports import Dependencies
from core.reconcile import RoundSummary, reconcile
from core.runs import Run, Status
from handlers import wiring
from local.cloud.template import ledger_table
from local.glue.in_process import RawBody
from tests.contract.glue_backends import session
from tests.contract.sample_runs import importing, labeling

TRANSFORMS, RUNS = 40, 10
BEGIN = Counter({"GetItem": 1, "Query": len(SHARDS)})  # the checkpoint of the last round, and a page of each shard
NOW = datetime.now(UTC)


@dataclass
class Harness:
    """The service on moto and a stubbed Glue, and the AWS calls it makes. `ended`: status by id of task runs that ended."""

    deps: Dependencies
    calls: list[str]
    ended: dict[str, Status]

    def write(self, run: Run) -> Run:
        return self.deps.ledger.write(None, run)

    def summary(self) -> tuple[RoundSummary, Counter[str]]:
        self.calls.clear()
        return reconcile(self.deps), Counter(self.calls)


def stub_glue(ended: dict[str, Status]) -> Callable[..., Any]:
    """A Glue in which each transform has ten task runs and is at its limit."""

    def answer(request: AWSPreparedRequest, event_name: str, **_: object) -> AWSResponse:
        if not event_name.endswith("GetMLTaskRuns"):
            return AWSResponse(request.url, 400, HTTPHeaders(), RawBody(b'{"__type": "ConcurrentRunsExceededException"}'))
        transform_id = json.loads(cast("bytes", request.body))["TransformId"]
        listed = [_listed(f"tsk-{transform_id}-{number}", ended) for number in range(RUNS)]
        return AWSResponse(request.url, 200, HTTPHeaders(), RawBody(json.dumps({"TaskRuns": listed}).encode()))

    return answer


def _listed(task_run_id: str, ended: dict[str, Status]) -> dict[str, Any]:
    return {
        "TaskRunId": task_run_id,
        "Status": ended.get(task_run_id, Status.RUNNING),
        "StartedOn": NOW.timestamp(),
        "CompletedOn": NOW.timestamp(),
        "ExecutionTime": 60,
        "Properties": {"TaskType": "LABELING_SET_GENERATION"},
    }


@pytest.fixture
def harness() -> Iterator[Harness]:
    with mock_aws(config={"core": {"passthrough": {"services": ["glue"]}}}):
        aws, calls, ended = session(), list[str](), dict[str, Status]()
        dynamodb = aws.client("dynamodb")
        dynamodb.create_table(TableName="ledger", **ledger_table())
        dynamodb.close()

        def note(operation_name: str, **_: object) -> None:
            calls.append(operation_name)

        aws.events.register("request-created", note)
        aws.events.register("before-send.glue", stub_glue(ended))
        yield Harness(wiring.build_dependencies({"LEDGER_TABLE": "ledger", "ALLOWED_S3_PREFIXES": ""}, aws), calls, ended)


def running_run(run: Run, number: int) -> Run:
    return replace(
        run,
        status=Status.RUNNING,
        requested_on=NOW - timedelta(minutes=5),
        start_attempted_on=NOW - timedelta(minutes=5),
        task_run_id=f"tsk-{run.transform_id}-{number}",
    )


def test_reconcile_takes_one_listing_per_transform_and_one_write_per_ended_run(harness: Harness) -> None:
    for transform in range(TRANSFORMS):
        for number in range(RUNS):
            harness.write(running_run(labeling(1000 * transform + number, transform_id=f"tfm-{transform:03}"), number))
        harness.ended[f"tsk-tfm-{transform:03}-3"] = Status.SUCCEEDED
    summary, calls = harness.summary()
    assert (summary.transforms, summary.ended, summary.failed) == (TRANSFORMS, TRANSFORMS, 0)
    assert calls - BEGIN == {"GetMLTaskRuns": TRANSFORMS, "UpdateItem": TRANSFORMS}


def test_queued_runs_add_no_calls_each(harness: Harness) -> None:
    for number in range(30):
        queued = replace(labeling(number, Status.QUEUED), requested_on=NOW - timedelta(minutes=5, seconds=-number))
        harness.write(queued)
    summary, calls = harness.summary()
    assert (summary.queued, summary.failed) == (30, 0)
    # The queue is read for its order, the run at its head, and the queue again as the run leaves it.
    assert calls - BEGIN == {"GetItem": 3, "TransactWriteItems": 2, "StartMLLabelingSetGenerationTaskRun": 1}


def test_ended_import_takes_one_more_read_to_update_its_queue(harness: Harness) -> None:
    harness.write(running_run(importing(), 0))
    harness.ended["tsk-tfm-1-0"] = Status.SUCCEEDED
    summary, calls = harness.summary()
    assert (summary.ended, summary.failed) == (1, 0)
    assert calls - BEGIN == {"GetMLTaskRuns": 1, "GetItem": 1, "TransactWriteItems": 1}
