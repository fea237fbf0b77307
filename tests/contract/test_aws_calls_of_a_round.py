"""What a round of the reconciler costs in AWS calls: one listing a transform, one write a run that ended, the index's pages."""

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

from core.ports import Dependencies
from core.reconcile import Tally, reconcile
from core.runs import Run, Status
from handlers import wiring
from local.cloud.template import ledger_table
from local.glue.in_process import RawBody
from tests.contract.glue_sides import session
from tests.contract.runs import importing, labeling

TRANSFORMS, RUNS = 40, 10
NOW = datetime.now(UTC)


@dataclass
class Round:
    """A world on moto, and the AWS calls that a round makes; `over` says where Glue's task runs stand that do not run."""

    deps: Dependencies
    calls: list[str]
    over: dict[str, Status]

    def write(self, run: Run) -> Run:
        return self.deps.ledger.write(None, run)

    def tally(self) -> tuple[Tally, Counter[str]]:
        self.calls.clear()
        return reconcile(self.deps), Counter(self.calls)


def glue_with(over: dict[str, Status]) -> Callable[..., Any]:
    """A Glue in which each transform has ten task runs, and no room for another."""

    def answer(request: AWSPreparedRequest, event_name: str, **_: object) -> AWSResponse:
        if not event_name.endswith("GetMLTaskRuns"):
            return AWSResponse(request.url, 400, HTTPHeaders(), RawBody(b'{"__type": "ConcurrentRunsExceededException"}'))
        transform_id = json.loads(cast("bytes", request.body))["TransformId"]
        listed = [_listed(f"tsk-{transform_id}-{number}", over) for number in range(RUNS)]
        return AWSResponse(request.url, 200, HTTPHeaders(), RawBody(json.dumps({"TaskRuns": listed}).encode()))

    return answer


def _listed(task_run_id: str, over: dict[str, Status]) -> dict[str, Any]:
    return {
        "TaskRunId": task_run_id,
        "Status": over.get(task_run_id, Status.RUNNING),
        "StartedOn": NOW.timestamp(),
        "CompletedOn": NOW.timestamp(),
        "ExecutionTime": 60,
        "Properties": {"TaskType": "LABELING_SET_GENERATION"},
    }


@pytest.fixture
def a_round() -> Iterator[Round]:
    with mock_aws(config={"core": {"passthrough": {"services": ["glue"]}}}):
        ours, calls, over = session(), list[str](), dict[str, Status]()
        dynamodb = ours.client("dynamodb")
        dynamodb.create_table(TableName="ledger", **ledger_table())
        dynamodb.close()

        def note(operation_name: str, **_: object) -> None:
            calls.append(operation_name)

        ours.events.register("request-created", note)
        ours.events.register("before-send.glue", glue_with(over))
        yield Round(wiring.build_dependencies({"LEDGER_TABLE": "ledger", "ALLOWED_S3_PREFIXES": ""}, ours), calls, over)


def under_way(run: Run, number: int) -> Run:
    return replace(
        run,
        status=Status.RUNNING,
        requested_on=NOW - timedelta(minutes=5),
        asked_on=NOW - timedelta(minutes=5),
        task_run_id=f"tsk-{run.transform_id}-{number}",
    )


def test_ten_runs_a_transform_of_which_one_has_ended_are_a_listing_and_a_write_a_transform(a_round: Round) -> None:
    for transform in range(TRANSFORMS):
        for number in range(RUNS):
            a_round.write(under_way(labeling(1000 * transform + number, transform_id=f"tfm-{transform:03}"), number))
        a_round.over[f"tsk-tfm-{transform:03}-3"] = Status.SUCCEEDED
    tally, calls = a_round.tally()
    assert (tally.transforms, tally.ended, tally.failed) == (TRANSFORMS, TRANSFORMS, 0)
    assert calls == {"GetMLTaskRuns": TRANSFORMS, "UpdateItem": TRANSFORMS, "Query": 1}


def test_a_queue_adds_no_call_for_each_who_waits(a_round: Round) -> None:
    for number in range(30):
        waits = replace(labeling(number, Status.QUEUED), requested_on=NOW - timedelta(minutes=5, seconds=-number))
        a_round.write(waits)
    tally, calls = a_round.tally()
    assert (tally.waiting, tally.failed) == (30, 0)
    assert calls == {"Query": 1, "GetItem": 2, "TransactWriteItems": 2, "StartMLLabelingSetGenerationTaskRun": 1}


def test_an_imports_end_costs_one_read_more_as_its_line_moves_with_it(a_round: Round) -> None:
    a_round.write(under_way(importing(), 0))
    a_round.over["tsk-tfm-1-0"] = Status.SUCCEEDED
    tally, calls = a_round.tally()
    assert (tally.ended, tally.failed) == (1, 0)
    assert calls == {"Query": 1, "GetMLTaskRuns": 1, "GetItem": 1, "TransactWriteItems": 1}
