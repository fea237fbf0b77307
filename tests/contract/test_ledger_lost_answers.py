"""The ledger's own lost answers: a write that happened, and that the SDK sent again, is no conflict."""

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
from tests.contract.runs import importing, labeling, progress, turn

NEVER = 99


def lose_answers(client: Any, operation: str, times: int = 1) -> list[str]:  # noqa: ANN401  boto3's client
    """Let the next `times` answers to `operation` be lost after it was carried out; notes every request that it sees."""
    seen: list[str] = []

    def before_send(request: AWSPreparedRequest, event_name: str, **_: object) -> None:
        seen.append(operation)
        if len(seen) <= times:
            _carry_out(request, event_name)
            fault = ConnectionClosedError if len(seen) % 2 else ReadTimeoutError
            raise fault(endpoint_url=request.url)

    client.meta.events.register_first(f"before-send.dynamodb.{operation}", before_send)
    return seen


def _carry_out(request: AWSPreparedRequest, event_name: str) -> None:
    if botocore_stubber(event_name, request) is None:
        session = URLLib3Session()
        session.send(request)
        session.close()


Write = Callable[[Any], tuple[Run | None, Run]]
WRITES: dict[str, tuple[str, Callable[[], list[Run]], Status]] = {
    "record an answer": ("PutItem", lambda: [labeling()], Status.STARTING),
    "reserve a labeling set": ("TransactWriteItems", list, Status.RESERVED),
    "queue up": ("TransactWriteItems", list, Status.QUEUED),
    "leave the line": ("TransactWriteItems", lambda: [labeling(status=Status.QUEUED)], Status.RESERVED),
    "cancel in the line": ("TransactWriteItems", lambda: [labeling(status=Status.QUEUED)], Status.CANCELLED),
}


@pytest.mark.parametrize(("what", "times"), [*((what, 1) for what in WRITES), ("reserve a labeling set", 2)])
def test_a_write_whose_answer_was_lost_is_the_writers_own(dynamodb: Any, what: str, times: int) -> None:  # noqa: ANN401  boto3's client
    operation, before, status = WRITES[what]
    ledger = ledger_on(dynamodb)
    known = next((ledger.write(None, run) for run in before()), None)
    seen = lose_answers(dynamodb, operation, times)
    written = ledger.write(known, replace(known or labeling(), status=status), max_waiting=1)
    assert len(seen) == times + 1
    assert ledger.get(written.id) == written


@pytest.mark.parametrize(
    "statuses",
    [[Status.RESERVED], [Status.RESERVED, Status.SUCCEEDED], [Status.RESERVED, Status.QUEUED, Status.RESERVED]],
    ids=["opened", "closed", "opened again"],
)
def test_an_import_whose_answers_were_lost_holds_its_place_and_gives_it_back(dynamodb: Any, statuses: list[Status]) -> None:  # noqa: ANN401  boto3's client
    ledger = ledger_on(dynamodb)
    run: Run | None = None
    for status in statuses:
        lose_answers(dynamodb, "TransactWriteItems")
        run = ledger.write(run, replace(run or importing(), status=status), max_waiting=1)
    assert run is not None
    turn(ledger, run, Status.FAILED)
    ledger.write(None, importing(9))


@pytest.mark.parametrize("run", [labeling(), importing()], ids=["DeleteItem", "TransactWriteItems"])
def test_a_reservation_whose_erasure_was_not_answered_is_gone(dynamodb: Any, run: Run, request: pytest.FixtureRequest) -> None:  # noqa: ANN401  boto3's client
    ledger = ledger_on(dynamodb)
    reservation = ledger.write(None, run)
    seen = lose_answers(dynamodb, request.node.callspec.id.split("-")[-1])
    ledger.erase(reservation)
    assert len(seen) == 2
    assert ledger.get(run.id) is None
    ledger.write(None, run)


def test_progress_whose_answer_was_lost_is_the_writers_own(dynamodb: Any) -> None:  # noqa: ANN401  boto3's client
    ledger = ledger_on(dynamodb)
    run = ledger.write(None, replace(labeling(status=Status.STARTING), task_run_id="tsk-1"))
    seen = lose_answers(dynamodb, "UpdateItem")
    ended = ledger.advance(open_run(run), progress("tsk-1", Status.SUCCEEDED))
    assert len(seen) == 2
    assert ledger.get(run.id) == ended
    assert ended.status is Status.SUCCEEDED


def test_a_write_that_is_never_answered_is_unavailable_and_may_have_happened(dynamodb: Any) -> None:  # noqa: ANN401  boto3's client
    ledger = ledger_on(dynamodb)
    seen = lose_answers(dynamodb, "TransactWriteItems", NEVER)
    with pytest.raises(LedgerUnavailable):
        ledger.write(None, labeling())
    assert len(seen) == 3
    found = ledger.get(labeling().id)
    assert found is not None
    assert found.status is Status.RESERVED


def test_another_writers_item_is_a_conflict_however_often_ours_was_sent(dynamodb: Any) -> None:  # noqa: ANN401  boto3's client
    ledger = ledger_on(dynamodb)
    theirs = ledger.write(None, labeling())
    lose_answers(dynamodb, "TransactWriteItems")
    with pytest.raises(Conflict) as conflict:
        ledger.write(None, replace(labeling(), requested_by="bob"))
    assert conflict.value.current == theirs
