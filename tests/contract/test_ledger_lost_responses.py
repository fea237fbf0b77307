"""Lost responses of DynamoDB: a write that happened and that the SDK retried is no conflict with itself."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError
from botocore.httpsession import URLLib3Session
from moto.core.models import botocore_stubber

from core.errors import Conflict, LedgerUnavailable
from core.open_runs import open_run
from core.runs import Run, Status
from tests.contract.conftest import ledger_on
from tests.contract.sample_runs import importing, labeling, progress, turn

ALWAYS = 99  # times, more than any retry


def lose_responses(client: Any, operation: str, times: int = 1) -> list[str]:  # noqa: ANN401  boto3's client
    """Carry out the next `times` requests of `operation`, but lose their responses. Every request is added to the result."""
    requests: list[str] = []

    def before_send(request: AWSPreparedRequest, event_name: str, **_: object) -> None:
        requests.append(operation)
        if len(requests) <= times:
            _carry_out(request, event_name)
            fault = ConnectionClosedError if len(requests) % 2 else ReadTimeoutError
            raise fault(endpoint_url=request.url)

    client.meta.events.register_first(f"before-send.dynamodb.{operation}", before_send)
    return requests


def _carry_out(request: AWSPreparedRequest, event_name: str) -> None:
    if botocore_stubber(event_name, request) is None:
        session = URLLib3Session()
        session.send(request)
        session.close()


Write = Callable[[Any], tuple[Run | None, Run]]
WRITES: dict[str, tuple[str, Callable[[], list[Run]], Status]] = {
    "record the task run id": ("PutItem", lambda: [labeling()], Status.STARTING),
    "reserve a labeling set": ("TransactWriteItems", list, Status.RESERVED),
    "join the queue": ("TransactWriteItems", list, Status.QUEUED),
    "leave the queue": ("TransactWriteItems", lambda: [labeling(status=Status.QUEUED)], Status.RESERVED),
    "cancel in the queue": ("TransactWriteItems", lambda: [labeling(status=Status.QUEUED)], Status.CANCELLED),
}


@pytest.mark.parametrize(("what", "times"), [*((what, 1) for what in WRITES), ("reserve a labeling set", 2)])
def test_write_with_a_lost_response_is_no_conflict(dynamodb: Any, what: str, times: int) -> None:  # noqa: ANN401  boto3's client
    operation, before, status = WRITES[what]
    ledger = ledger_on(dynamodb)
    known = next((ledger.write(None, run) for run in before()), None)
    requests = lose_responses(dynamodb, operation, times)
    written = ledger.write(known, replace(known or labeling(), status=status), max_queued=1)
    assert len(requests) == times + 1
    assert ledger.get(written.id) == written


@pytest.mark.parametrize(
    "statuses",
    [[Status.RESERVED], [Status.RESERVED, Status.SUCCEEDED], [Status.RESERVED, Status.QUEUED, Status.RESERVED]],
    ids=["opened", "closed", "opened again"],
)
def test_import_with_lost_responses_opens_and_closes_once(dynamodb: Any, statuses: list[Status]) -> None:  # noqa: ANN401  boto3's client
    ledger = ledger_on(dynamodb)
    run: Run | None = None
    for status in statuses:
        lose_responses(dynamodb, "TransactWriteItems")
        run = ledger.write(run, replace(run or importing(), status=status), max_queued=1)
    assert run is not None
    turn(ledger, run, Status.FAILED)
    ledger.write(None, importing(9))


@pytest.mark.parametrize("run", [labeling(), importing()], ids=["DeleteItem", "TransactWriteItems"])
def test_erasure_with_a_lost_response_erases(dynamodb: Any, run: Run, request: pytest.FixtureRequest) -> None:  # noqa: ANN401  boto3's client
    ledger = ledger_on(dynamodb)
    reservation = ledger.write(None, run)
    requests = lose_responses(dynamodb, request.node.callspec.id.split("-")[-1])
    ledger.delete(reservation)
    assert len(requests) == 2
    assert ledger.get(run.id) is None
    ledger.write(None, run)


def test_progress_with_a_lost_response_is_no_conflict(dynamodb: Any) -> None:  # noqa: ANN401  boto3's client
    ledger = ledger_on(dynamodb)
    run = ledger.write(None, replace(labeling(status=Status.STARTING), task_run_id="tsk-1"))
    requests = lose_responses(dynamodb, "UpdateItem")
    ended = ledger.record_progress(open_run(run), progress("tsk-1", Status.SUCCEEDED))
    assert len(requests) == 2
    assert ledger.get(run.id) == ended
    assert ended.status is Status.SUCCEEDED


def test_write_without_any_response_is_unavailable_and_may_have_happened(dynamodb: Any) -> None:  # noqa: ANN401  boto3's client
    ledger = ledger_on(dynamodb)
    requests = lose_responses(dynamodb, "TransactWriteItems", ALWAYS)
    with pytest.raises(LedgerUnavailable):
        ledger.write(None, labeling())
    assert len(requests) == 3
    stored = ledger.get(labeling().id)
    assert stored is not None
    assert stored.status is Status.RESERVED


def test_item_of_another_writer_is_a_conflict_after_retries(dynamodb: Any) -> None:  # noqa: ANN401  boto3's client
    ledger = ledger_on(dynamodb)
    first = ledger.write(None, labeling())
    lose_responses(dynamodb, "TransactWriteItems")
    with pytest.raises(Conflict) as conflict:
        ledger.write(None, replace(labeling(), requested_by="bob"))
    assert conflict.value.current == first
