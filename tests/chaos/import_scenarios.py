"""Scenarios of imports: replacing labels with or without an export first; label files that change while an import waits."""

from collections.abc import Iterator

from tests.chaos import follow_ups
from tests.chaos.cases import Action, RequestKind, Scenario, Step
from tests.chaos.faults import Kind
from tests.chaos.steps import (
    HAVE_LABELS,
    HOLD_RUNS,
    LET_GLUE_FINISH,
    OPEN_IMPORT,
    REACH_LIMIT,
    RELEASE_RUNS,
    send,
    tick,
    with_fault,
)

_EXPORT, _IMPORT = "StartExportLabelsTaskRun", "StartImportLabelsTaskRun"
_REPLACE: RequestKind = "api replace with export"
_CHANGE_FILE: Step = (Action("change file"),)
_REMOVE_FILE: Step = (Action("remove file"),)
_RESTORE_FILE: Step = (Action("restore file"),)
_HAVE_NO_LABELS: Step = (Action("have no labels"),)
_QUEUED = (HAVE_LABELS, send(0))
_EXPORT_STARTED = (*_QUEUED, tick(3))
_EXPORT_RUNNING = (HAVE_LABELS, HOLD_RUNS, send(0), tick(3))
_EXPORTED = (*_EXPORT_STARTED, LET_GLUE_FINISH)
_BEHIND_AN_IMPORT = (OPEN_IMPORT, send(0), RELEASE_RUNS)
# Exported, then refused because its file changed; then another import brought labels, and the file was restored.
_REFUSED = (*_EXPORTED, _CHANGE_FILE, tick(5), (Action("open import", 6),), RELEASE_RUNS, tick(8), _RESTORE_FILE)
_FOLLOW_UP_NAMES = (
    "never again, two reconciles at once",
    "once after the lease, a reconcile during",
    "five times, then two reconciles at once",
    "twenty at once, a reconcile during",
)
_AFTER_START = tuple(follow_up for follow_up in follow_ups.START_SAMPLE if follow_up.name in _FOLLOW_UP_NAMES)


def import_scenarios() -> Iterator[Scenario]:
    reported, reconcile, cancel = follow_ups.START_REPORTED[:1], follow_ups.RECONCILE, follow_ups.CANCEL
    for name, kind, before, at in _sent():
        yield Scenario(f"{kind}, {name}", kind, before, Action("send", at), _AFTER_START, reported)
    for name, kind, change in _sent_too_late():
        after = (*_AFTER_START, follow_ups.RESTORED_FILE)
        yield Scenario(f"{kind}, {name}", kind, (change,), Action("send"), after, reported)
    for name, kind, before, at in (*_reconciled_exports(), *_reconciled_files()):
        yield Scenario(f"reconcile, {kind} {name}", kind, before, Action("tick", at), reconcile[1:], reconcile[:1])
    for name, before in (("its export runs", _EXPORT_RUNNING), ("its export is over", _EXPORTED)):
        yield Scenario(f"cancel, replace, {name}", _REPLACE, before, Action("cancel", 6), cancel, cancel[:1])


def _sent() -> Iterator[tuple[str, RequestKind, tuple[Step, ...], float]]:
    yield "labels are there", "api replace", (HAVE_LABELS,), 0
    yield "an import is open, labels are there", "api replace", (HAVE_LABELS, OPEN_IMPORT), 0
    yield "labels are there", "api replace with export", (HAVE_LABELS,), 0
    yield "labels are there", "bus replace with export", (HAVE_LABELS,), 0
    yield "no labels are there", _REPLACE, (_HAVE_NO_LABELS,), 0
    yield "an import is open", _REPLACE, (HAVE_LABELS, OPEN_IMPORT), 0
    yield "again after a refusal", _REPLACE, _REFUSED, 10


def _sent_too_late() -> Iterator[tuple[str, RequestKind, Step]]:
    yield "its file is gone", "api import", _REMOVE_FILE
    yield "its file was changed since", "upload", _CHANGE_FILE


def _reconciled_exports() -> Iterator[tuple[str, RequestKind, tuple[Step, ...], float]]:
    yield "queued", _REPLACE, _QUEUED, 5
    yield "queued, no labels are there", _REPLACE, (_HAVE_NO_LABELS, send(0)), 5
    yield "queued at the limit", _REPLACE, (*_QUEUED, REACH_LIMIT), 5
    yield "exporting", _REPLACE, _EXPORT_RUNNING, 5
    yield "exported", _REPLACE, _EXPORTED, 5
    yield "exported, at the limit", _REPLACE, (*_EXPORTED, REACH_LIMIT), 5
    failing: Step = (Action("let exports fail"),)
    yield "export failed", _REPLACE, (HAVE_LABELS, failing, send(0), tick(3), LET_GLUE_FINISH), 5
    exporting = Action("tick", 3)
    for name, kind in (
        ("lost", Kind.REQUEST_LOST),
        ("carried out, response lost", Kind.RESPONSE_LOST),
        ("killed after", Kind.KILLED_AFTER),
    ):
        yield f"export {name}", _REPLACE, (*_QUEUED, with_fault(_EXPORT, kind, exporting), LET_GLUE_FINISH), 20
    importing = Action("tick", 5)
    imported = with_fault(_IMPORT, Kind.RESPONSE_LOST, importing)
    yield "imported, response lost", _REPLACE, (*_EXPORTED, imported, LET_GLUE_FINISH), 20
    yield "import lost", _REPLACE, (*_EXPORTED, with_fault(_IMPORT, Kind.REQUEST_LOST, importing)), 75
    yield "again after a refusal", _REPLACE, (*_REFUSED, send(10)), 12
    yield "again after a refusal, exported", _REPLACE, (*_REFUSED, send(10), tick(12), LET_GLUE_FINISH), 15


def _reconciled_files() -> Iterator[tuple[str, RequestKind, tuple[Step, ...], float]]:
    for name, change in (("changed", _CHANGE_FILE), ("gone", _REMOVE_FILE)):
        yield f"queued, its file {name}", "api import", (*_BEHIND_AN_IMPORT, change), 5
        yield f"not started, its file {name}", "api import", (with_fault(_IMPORT, Kind.REQUEST_LOST), change), 75
    yield "exported, its file changed", _REPLACE, (*_EXPORTED, _CHANGE_FILE), 5
