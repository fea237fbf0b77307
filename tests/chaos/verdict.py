"""What must hold in the end, whatever happened: the contract's promise, judged from outside."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.chaos.case_run import CaseRun
from tests.chaos.environment import path_of
from tests.chaos.handler_runs import Outcome
from tests.chaos.import_verdict import exports_of, judge_imports
from tests.chaos.violation import Violation

NEVER_STARTED = {"REFUSED": "TaskRunRefused", "START_FAILED": "TaskRunStartFailed", "CANCELLED": "TaskRunCancelled"}
ENDED = {
    "SUCCEEDED": "TaskRunSucceeded",
    "FAILED": "TaskRunFailed",
    "STOPPED": "TaskRunStopped",
    "TIMEOUT": "TaskRunTimedOut",
}
# What a caller may be told; 500 is none of it, whatever AWS does.
_ANSWERS = {202, 404, 409, 422, 429, 503}
Events = Sequence[Mapping[str, Any]]


def judge(play: CaseRun, events: Events) -> list[Violation]:
    """Everything that is wrong with how the case ended; `events` are those of its transform that went out."""
    items, runs = play.items(), play.glue_runs()
    found = [*_starts(items, runs), *_waiting(play), *_answers(play.sent, items), *_answers(play.others, items)]
    for item in items:
        mine = [run for run in runs if path_of(run) == item["path"]]
        told = [event for event in events if event["detail"]["data"]["id"] == item["id"]]
        found += [*_agreement(item, mine), *_told(item, told)]
    return [*found, *judge_imports(play, items, runs)]


def _starts(items: list[dict[str, Any]], runs: list[dict[str, Any]]) -> Iterator[Violation]:
    asked_for = {item["path"] for item in items} | {path_of(run) for item in items for run in exports_of(item, runs)}
    for path, times in Counter(map(path_of, runs)).items():
        if times > 1:
            yield Violation("duplicate", f"Glue runs {path} {times} times")
        if path not in asked_for:
            yield Violation("disagreement", f"Glue runs {path}, and the ledger knows nothing of it")


def _waiting(play: CaseRun) -> Iterator[Violation]:
    line = play.line()
    if line.get("waiting", {}).get("L") or "importing" in line:
        yield Violation("stuck", f"the transform's line still holds {line}")


def _answers(outcomes: Sequence[Outcome], items: list[dict[str, Any]]) -> Iterator[Violation]:
    for outcome in outcomes:
        if outcome.hung:
            yield Violation("stuck", "a handler never returned")
        answer = outcome.answer if isinstance(outcome.answer, dict) else {}
        status = answer.get("statusCode")
        if status is not None and status not in _ANSWERS:
            yield Violation("answer", f"{status}: {answer.get('body')}")
        if status == 202 and json.loads(answer["body"])["id"] not in {item["id"] for item in items}:
            yield Violation("lost", "an accepted request was forgotten")


def _agreement(item: Mapping[str, Any], runs: Sequence[Mapping[str, Any]]) -> Iterator[Violation]:
    status = item["status"]
    if status in NEVER_STARTED:
        if runs or "taskRunId" in item:
            yield Violation("disagreement", f"{status}, and yet Glue runs it")
    elif status in ENDED:
        if not runs or runs[0]["Status"] != status or runs[0]["TaskRunId"] != item.get("taskRunId"):
            yield Violation("disagreement", f"the ledger says {status} of {item.get('taskRunId')}, Glue has {list(runs)}")
    elif status == "LOST":
        yield Violation("disagreement", f"LOST, and Glue has {list(runs)}")
    else:
        yield Violation("stuck", f"still {status}")


def _told(item: Mapping[str, Any], events: Events) -> Iterator[Violation]:
    """TaskRunStarted at least once and under one id if the run was started, and an event of its end."""
    ids = {event["detail"]["metadata"]["eventId"] for event in events if event["detail-type"] == "TaskRunStarted"}
    if item.get("taskRunId") and not ids:
        yield Violation("lost", "no TaskRunStarted went out")
    if len(ids) > 1:
        yield Violation("duplicate", "TaskRunStarted went out under several ids")
    if ids and not item.get("taskRunId"):
        yield Violation("disagreement", "TaskRunStarted went out for a run that Glue does not have")
    ending = (NEVER_STARTED | ENDED).get(item["status"])
    if ending and ending not in {event["detail-type"] for event in events}:
        yield Violation("lost", f"no {ending} went out")
