"""Property test: after any sequence of writes, the fake ledger and the DynamoDB ledger agree."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.errors import Conflict, QueueBlocked, QueueLimitReached
from core.ports import Ledger
from core.runs import Run, Status
from tests.contract.conftest import ledger_on, moto_dynamodb
from tests.contract.sample_runs import evaluating, importing, labeling
from tests.fakes.ledger import MemoryLedger

RUNS = [kind(number) for number in range(3) for kind in (labeling, importing, evaluating)]
LEGAL: dict[Status | None, list[Status]] = {
    None: [Status.RESERVED, Status.QUEUED, Status.REFUSED],
    Status.RESERVED: [Status.STARTING, Status.QUEUED, Status.UNCONFIRMED, Status.REFUSED],
    Status.QUEUED: [Status.RESERVED, Status.CANCELLED, Status.START_FAILED],
    Status.UNCONFIRMED: [Status.RESERVED, Status.STARTING, Status.CANCELLED],
    Status.STARTING: [Status.RUNNING, Status.SUCCEEDED],
    Status.RUNNING: [Status.FAILED],
}
STEPS = st.lists(st.tuples(st.integers(0, len(RUNS) - 1), st.integers(0, 3), st.sampled_from([None, 0, 2])), max_size=14)


@pytest.fixture(scope="module")
def on_moto() -> Iterator[Ledger]:
    """One table for all examples: each uses its own transform."""
    with moto_dynamodb() as client:
        yield ledger_on(client)


def outcome(ledger: Ledger, run: Run, status: Status, max_queued: int | None) -> str:
    before = ledger.get(run.id)
    try:
        return str(ledger.write(before, replace(before or run, status=status), max_queued=max_queued).status)
    except (Conflict, QueueBlocked, QueueLimitReached) as error:
        return type(error).__name__


@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS)
def test_fake_ledger_behaves_like_the_dynamodb_ledger(on_moto: Ledger, steps: list[tuple[int, int, int | None]]) -> None:
    fake, example = MemoryLedger(), uuid4().hex
    transform_id = f"tfm-{example}"
    runs = [replace(run, id=f"{number}{example[1:]}", transform_id=transform_id) for number, run in enumerate(RUNS)]
    for index, choice, max_queued in steps:
        current = fake.get(runs[index].id)
        choices = LEGAL.get(current.status if current else None, [Status.RESERVED, Status.QUEUED])
        status = choices[choice % len(choices)]
        assert outcome(on_moto, runs[index], status, max_queued) == outcome(fake, runs[index], status, max_queued)
    states = [{run.id: stored.status for run in runs if (stored := ledger.get(run.id))} for ledger in (fake, on_moto)]
    assert states[0] == states[1]
