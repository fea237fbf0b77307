"""Situations of imports: a replace with an export before it, or without; a label file that changes while its import waits."""

from collections.abc import Iterator

from tests.chaos.cases import (
    CANCELLING,
    FEW_STARTING,
    RECONCILING,
    RESTORED,
    SOME_STARTING,
    Action,
    Scenario,
    Stage,
    Via,
    send,
    tick,
)
from tests.chaos.faults import Kind
from tests.chaos.stages import DONE, FREE, FULL, HELD, LABELED, OTHER_IMPORT, broken

_EXPORT, _IMPORT = "StartExportLabelsTaskRun", "StartImportLabelsTaskRun"
_REPLACE: Via = "api replace with export"
_CHANGED: Stage = (Action("change file"),)
_GONE: Stage = (Action("remove file"),)
_RESTORED: Stage = (Action("restore file"),)
_WAITING = (LABELED, send(0))
_EXPORTING = (*_WAITING, tick(3))
_STILL_EXPORTING = (LABELED, HELD, send(0), tick(3))
_EXPORTED = (*_EXPORTING, DONE)
_BEHIND_AN_IMPORT = (OTHER_IMPORT, send(0), FREE)
# Exported, then refused as its file was changed; another import brought labels since, and the file is as it was.
_REFUSED = (*_EXPORTED, _CHANGED, tick(5), (Action("open import", 6),), FREE, tick(8), _RESTORED)
_NAMES = (
    "never again, two reconciles at once",
    "once after the lease, a reconcile during",
    "five times, then two reconciles at once",
    "twenty at once, a reconcile during",
)
_STARTING = tuple(one for one in SOME_STARTING if one.name in _NAMES)


def scenes_of_imports() -> Iterator[Scenario]:
    for name, via, before, at in _sent():
        yield Scenario(f"{via}, {name}", via, before, Action("send", at), _STARTING, FEW_STARTING[:1])
    for via, name, befallen in _sent_too_late():
        yield Scenario(f"{via}, {name}", via, (befallen,), Action("send"), (*_STARTING, RESTORED), FEW_STARTING[:1])
    for name, via, before, at in (*_reconciled_exports(), *_reconciled_files()):
        yield Scenario(f"reconcile, {via} {name}", via, before, Action("tick", at), RECONCILING[1:], RECONCILING[:1])
    for name, before in (("its export runs", _STILL_EXPORTING), ("its export is over", _EXPORTED)):
        yield Scenario(f"cancel, replace, {name}", _REPLACE, before, Action("cancel", 6), CANCELLING, CANCELLING[:1])


def _sent() -> Iterator[tuple[str, Via, tuple[Stage, ...], float]]:
    yield "labels are there", "api replace", (LABELED,), 0
    yield "an import is open, labels are there", "api replace", (LABELED, OTHER_IMPORT), 0
    yield "labels are there", "api replace with export", (LABELED,), 0
    yield "labels are there", "bus replace with export", (LABELED,), 0
    yield "no labels are there", _REPLACE, ((Action("have no labels"),),), 0
    yield "an import is open", _REPLACE, (LABELED, OTHER_IMPORT), 0
    yield "again after a refusal", _REPLACE, _REFUSED, 10


def _sent_too_late() -> Iterator[tuple[Via, str, Stage]]:
    yield "api import", "its file is gone", _GONE
    yield "upload", "its file was changed since", _CHANGED


def _reconciled_exports() -> Iterator[tuple[str, Via, tuple[Stage, ...], float]]:
    yield "waits", _REPLACE, _WAITING, 5
    yield "waits, no labels are there", _REPLACE, ((Action("have no labels"),), send(0)), 5
    yield "waits at the limit", _REPLACE, (*_WAITING, FULL), 5
    yield "exporting", _REPLACE, _STILL_EXPORTING, 5
    yield "exported", _REPLACE, _EXPORTED, 5
    yield "exported, at the limit", _REPLACE, (*_EXPORTED, FULL), 5
    yield "export failed", _REPLACE, (LABELED, (Action("let exports fail"),), send(0), tick(3), DONE), 5
    exporting = Action("tick", 3)
    for what, kind in (
        ("lost", Kind.REQUEST_LOST),
        ("done, answer lost", Kind.ANSWER_LOST),
        ("killed after", Kind.KILLED_AFTER),
    ):
        yield f"export {what}", _REPLACE, (*_WAITING, broken(_EXPORT, kind, exporting), DONE), 20
    importing = Action("tick", 5)
    yield "imported, answer lost", _REPLACE, (*_EXPORTED, broken(_IMPORT, Kind.ANSWER_LOST, importing), DONE), 20
    yield "import lost", _REPLACE, (*_EXPORTED, broken(_IMPORT, Kind.REQUEST_LOST, importing)), 75
    yield "again after a refusal", _REPLACE, (*_REFUSED, send(10)), 12
    yield "again after a refusal, exported", _REPLACE, (*_REFUSED, send(10), tick(12), DONE), 15


def _reconciled_files() -> Iterator[tuple[str, Via, tuple[Stage, ...], float]]:
    for what, befallen in (("changed", _CHANGED), ("gone", _GONE)):
        yield f"waited, its file {what}", "api import", (*_BEHIND_AN_IMPORT, befallen), 5
        yield f"not started, its file {what}", "api import", (broken(_IMPORT, Kind.REQUEST_LOST), befallen), 75
    yield "exported, its file changed", _REPLACE, (*_EXPORTED, _CHANGED), 5
