"""What must hold of imports: labels are exported and the caller is warned before a replace; label files are checked."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tests.chaos.case_run import CaseRun
from tests.chaos.environment import path_of
from tests.chaos.handler_runs import Outcome
from tests.chaos.violation import Violation

_START_IMPORT = "glue.StartImportLabelsTaskRun"
_FILE_CHECKS = ("s3.GetObject", "s3.HeadObject")
Item = Mapping[str, Any]
GlueRuns = Sequence[Mapping[str, Any]]


def check_import_invariants(case_run: CaseRun, items: Sequence[Item], runs: GlueRuns) -> Iterator[Violation]:
    for item in items:
        imports = [run for run in runs if path_of(run) == item["path"]]
        if "exportTo" in item:
            yield from _check_exported(item, imports, runs, has_labels=case_run.environment.has_labels)
        yield from _check_file_version(case_run, item, imports)
    for outcome in (*case_run.request_outcomes, *case_run.other_outcomes):
        yield from _check_file_read(outcome)
        if case_run.environment.has_labels:
            yield from _check_warning(outcome)


def exports_of(item: Item, runs: GlueRuns) -> list[Mapping[str, Any]]:
    return [run for run in runs if "exportTo" in item and path_of(run).startswith(item["exportTo"])]


def _check_exported(item: Item, imports: GlueRuns, runs: GlueRuns, *, has_labels: bool | None) -> Iterator[Violation]:
    """At most one export per attempt; no import before an export succeeded, or after other labels came in between."""
    exports = exports_of(item, runs)
    if len(exports) > int(item["attempt"]):
        yield Violation("duplicate", f"{len(exports)} exports for {item['attempt']} attempts")
    for replacing in imports if has_labels else ():
        started = replacing["StartedOn"]
        finished = [run for run in exports if run["Status"] == "SUCCEEDED" and run["CompletedOn"] <= started]
        if not finished:
            yield Violation("unexported", f"replaced the labels before an export had succeeded: {exports}, {replacing}")
            continue
        exported_at = max(run["StartedOn"] for run in finished)
        later = [run for run in runs if run is not replacing and _brings_labels(run) and run["CompletedOn"] > exported_at]
        if [run for run in later if run["StartedOn"] < started]:
            yield Violation("unexported", f"labels that came after the export were replaced: {later}")


def _brings_labels(run: Mapping[str, Any]) -> bool:
    return bool(run["Properties"]["TaskType"] == "IMPORT_LABELS" and run["Status"] == "SUCCEEDED")


def _check_file_version(case_run: CaseRun, item: Item, imports: GlueRuns) -> Iterator[Violation]:
    changed_at, (path, etag) = case_run.environment.changed_at, case_run.environment.label_file
    if changed_at is None or item["path"] != path or str(item.get("pin", "")).strip('"') != etag:
        return
    if any(run["StartedOn"].timestamp() > changed_at for run in imports):
        yield Violation("unchecked", "another version of the file was imported than the ledger has")


def _check_file_read(outcome: Outcome) -> Iterator[Violation]:
    """The call before each start of an import reads or checks its file, so that nothing slow comes in between."""
    for before, call in zip(("", *outcome.calls), outcome.calls, strict=False):
        if call == _START_IMPORT and before not in _FILE_CHECKS:
            yield Violation("unchecked", f"an import was started after {before or 'no call'}")


def _check_warning(outcome: Outcome) -> Iterator[Violation]:
    answer = outcome.answer if isinstance(outcome.answer, dict) else {}
    if answer.get("statusCode") != 202 or "Idempotency-Replayed" in json.dumps(answer):
        return
    run = json.loads(answer["body"])
    if run.get("replaceAllLabels") and "exportTo" not in run and "warning" not in run:
        yield Violation("answer", "the caller is not warned that labels will be replaced")
