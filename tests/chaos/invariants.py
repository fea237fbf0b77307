"""What must hold after every case, read from outside: Glue's task runs, the ledger, the responses and the events."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.chaos.case_run import CaseRun
from tests.chaos.cloud import f1_of
from tests.chaos.environment import EVALUATION, path_of
from tests.chaos.faults import Kind
from tests.chaos.handler_runs import Outcome
from tests.chaos.import_invariants import check_import_invariants, exports_of
from tests.chaos.violation import Violation

NEVER_STARTED = {"REFUSED": "TaskRunRefused", "START_FAILED": "TaskRunStartFailed", "CANCELLED": "TaskRunCancelled"}
ENDED = {
    "SUCCEEDED": "TaskRunSucceeded",
    "FAILED": "TaskRunFailed",
    "STOPPED": "TaskRunStopped",
    "TIMEOUT": "TaskRunTimedOut",
}
_ALLOWED_STATUS_CODES = {202, 404, 409, 422, 429, 503}  # never 500, whatever AWS does
Events = Sequence[Mapping[str, Any]]


def check_invariants(case_run: CaseRun, events: Events) -> list[Violation]:
    """All violations at the end of a case; `events` are those of its transform that the bus delivered."""
    items, runs = case_run.items(), case_run.glue_runs()
    outcomes = (*case_run.request_outcomes, *case_run.other_outcomes)
    violations = [*_check_starts(items, runs), *_check_queue(case_run), *_check_responses(outcomes, items)]
    for item in items:
        of_item = [run for run in runs if path_of(run) == item["path"]]
        violations += _check_agreement(item, of_item)
        violations += _check_metrics(item, case_run)
        violations += _check_events(item, [event for event in events if event["detail"]["data"]["id"] == item["id"]])
    return [*violations, *check_import_invariants(case_run, items, runs)]


def _check_starts(items: list[dict[str, Any]], runs: list[dict[str, Any]]) -> Iterator[Violation]:
    known_paths = {item["path"] for item in items} | {path_of(run) for item in items for run in exports_of(item, runs)}
    for path, times in Counter(map(path_of, runs)).items():
        if times > 1:
            yield Violation("duplicate", f"Glue runs {path} {times} times")
        if path not in known_paths:
            yield Violation("disagreement", f"Glue runs {path}, which is not in the ledger")


def _check_queue(case_run: CaseRun) -> Iterator[Violation]:
    queue = case_run.queue_item()
    if queue.get("waiting", {}).get("L") or "importing" in queue:
        yield Violation("stuck", f"the transform's queue still holds {queue}")


def _check_responses(outcomes: Sequence[Outcome], items: list[dict[str, Any]]) -> Iterator[Violation]:
    for outcome in outcomes:
        if outcome.hung:
            yield Violation("stuck", "a handler did not return")
        answer = outcome.answer if isinstance(outcome.answer, dict) else {}
        status_code = answer.get("statusCode")
        if status_code is not None and status_code not in _ALLOWED_STATUS_CODES:
            yield Violation("answer", f"{status_code}: {answer.get('body')}")
        if status_code == 202 and json.loads(answer["body"])["id"] not in {item["id"] for item in items}:
            yield Violation("lost", "an accepted request is not in the ledger")


def _check_agreement(item: Mapping[str, Any], runs: Sequence[Mapping[str, Any]]) -> Iterator[Violation]:
    status = item["status"]
    if status in NEVER_STARTED:
        if runs or "taskRunId" in item:
            yield Violation("disagreement", f"{status}, but Glue runs it")
    elif status in ENDED:
        if not runs or runs[0]["Status"] != status or runs[0]["TaskRunId"] != item.get("taskRunId"):
            yield Violation("disagreement", f"the ledger has {status} for {item.get('taskRunId')}, Glue has {list(runs)}")
    elif status == "LOST":
        yield Violation("disagreement", f"LOST, but Glue has {list(runs)}")
    else:
        yield Violation("stuck", f"still {status}")


def _check_metrics(item: Mapping[str, Any], case_run: CaseRun) -> Iterator[Violation]:
    """An evaluation that succeeded has the metrics of its own task run, or none if Glue's error said that there are none."""
    if item["path"] != EVALUATION or item["status"] != "SUCCEEDED":
        return
    f1 = json.loads(item.get("metrics", "{}")).get("F1")
    is_refused = case_run.case is not None and case_run.case.fault.kind is Kind.MODELED
    if f1 != f1_of(item["taskRunId"]) and not (is_refused and "warning" in item):
        yield Violation("disagreement", f"an evaluation has the F1 {f1}, not that of {item['taskRunId']}")


def _check_events(item: Mapping[str, Any], events: Events) -> Iterator[Violation]:
    """TaskRunStarted at least once and under one id if the run was started, and an event of its end."""
    ids = {event["detail"]["metadata"]["eventId"] for event in events if event["detail-type"] == "TaskRunStarted"}
    if item.get("taskRunId") and not ids:
        yield Violation("lost", "no TaskRunStarted was published")
    if len(ids) > 1:
        yield Violation("duplicate", "TaskRunStarted was published under several ids")
    if ids and not item.get("taskRunId"):
        yield Violation("disagreement", "TaskRunStarted was published for a run that Glue does not have")
    final_event = (NEVER_STARTED | ENDED).get(item["status"])
    if final_event and final_event not in {event["detail-type"] for event in events}:
        yield Violation("lost", f"no {final_event} was published")
