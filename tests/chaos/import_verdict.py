"""What must hold of imports besides: nothing is forgotten unexported or unannounced, nothing is imported unchecked."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.chaos.case_run import CaseRun
from tests.chaos.environment import path_of
from tests.chaos.handler_runs import Outcome
from tests.chaos.violation import Violation

_START = "glue.StartImportLabelsTaskRun"
_LOOKS = ("s3.GetObject", "s3.HeadObject")
Item = Mapping[str, Any]
GlueRuns = Sequence[Mapping[str, Any]]


def judge_imports(play: CaseRun, items: Sequence[Item], runs: GlueRuns) -> Iterator[Violation]:
    for item in items:
        mine = [run for run in runs if path_of(run) == item["path"]]
        if "exportTo" in item:
            yield from _exported(item, mine, runs, has_labels=play.surroundings.has_labels)
        yield from _as_checked(play, item, mine)
    for outcome in (*play.sent, *play.others):
        yield from _looked_at(outcome)
        if play.surroundings.has_labels:
            yield from _warned(outcome)


def exports_of(item: Item, runs: GlueRuns) -> list[Mapping[str, Any]]:
    return [run for run in runs if "exportTo" in item and path_of(run).startswith(item["exportTo"])]


def _exported(item: Item, imports: GlueRuns, runs: GlueRuns, *, has_labels: bool | None) -> Iterator[Violation]:
    """One export an attempt, and no import before it succeeded, or after labels came in between."""
    exports = exports_of(item, runs)
    if len(exports) > int(item["attempt"]):
        yield Violation("duplicate", f"{len(exports)} exports for {item['attempt']} attempts")
    for one in imports if has_labels else ():
        over = [run for run in exports if run["Status"] == "SUCCEEDED" and run["CompletedOn"] <= one["StartedOn"]]
        if not over:
            yield Violation("unexported", f"replaced the labels before an export had succeeded: {exports}, {one}")
            continue
        since = max(run["StartedOn"] for run in over)
        between = [run for run in runs if run is not one and _brings_labels(run) and run["CompletedOn"] > since]
        if [run for run in between if run["StartedOn"] < one["StartedOn"]]:
            yield Violation("unexported", f"labels that came after the export were replaced: {between}")


def _brings_labels(run: Mapping[str, Any]) -> bool:
    return bool(run["Properties"]["TaskType"] == "IMPORT_LABELS" and run["Status"] == "SUCCEEDED")


def _as_checked(play: CaseRun, item: Item, imports: GlueRuns) -> Iterator[Violation]:
    changed_at, (path, etag) = play.surroundings.changed_at, play.surroundings.label_file
    if changed_at is None or item["path"] != path or str(item.get("pin", "")).strip('"') != etag:
        return
    if any(run["StartedOn"].timestamp() > changed_at for run in imports):
        yield Violation("unchecked", "another version of the file was imported than the one on record")


def _looked_at(outcome: Outcome) -> Iterator[Violation]:
    """Right before an import is asked for, its file is looked at: nothing slow may come in between."""
    for before, call in zip(("", *outcome.calls), outcome.calls, strict=False):
        if call == _START and before not in _LOOKS:
            yield Violation("unchecked", f"an import was asked for after {before or 'nothing'}")


def _warned(outcome: Outcome) -> Iterator[Violation]:
    answer = outcome.answer if isinstance(outcome.answer, dict) else {}
    if answer.get("statusCode") != 202 or "Idempotency-Replayed" in json.dumps(answer):
        return
    run = json.loads(answer["body"])
    if run.get("replaceAllLabels") and "exportTo" not in run and "warning" not in run:
        yield Violation("answer", "the caller is not told that labels will be forgotten")
