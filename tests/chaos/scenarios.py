"""The situations that a case begins with; every AWS call of each one's target is interfered with in every way."""

from collections.abc import Callable, Iterator

from tests.chaos.cases import (
    ANNOUNCING,
    CANCELLING,
    FEW_STARTING,
    RECONCILING,
    SOME_STARTING,
    STARTING,
    VIAS,
    Action,
    Case,
    Scenario,
    Stage,
    Via,
    send,
    tick,
)
from tests.chaos.faults import Kind, faults_of
from tests.chaos.import_scenarios import scenes_of_imports
from tests.chaos.stages import DONE, FREE, FULL, HELD, OTHER_IMPORT, broken

Probe = Callable[[Scenario], tuple[str, ...]]
_REPORTED = (Kind.MODELED, Kind.THROTTLED, Kind.SERVER_ERROR, Kind.UNREACHABLE)


def scenes() -> Iterator[Scenario]:
    for via in VIAS:
        sequels = STARTING if via in ("api labeling set", "upload") else SOME_STARTING
        yield Scenario(f"{via}, free", via, (), Action("send"), sequels, FEW_STARTING)
    full = (FULL,)
    yield Scenario("api labeling set, at the limit", "api labeling set", full, Action("send"), SOME_STARTING, FEW_STARTING[:1])
    for via in ("api import", "upload"):
        opened = (OTHER_IMPORT,)
        yield Scenario(f"{via}, an import is open", via, opened, Action("send"), SOME_STARTING, FEW_STARTING[:1])
    for name, via, before, at in _reconciled():
        yield Scenario(f"reconcile, {name}", via, before, Action("tick", at), RECONCILING, RECONCILING[:1])
    for name, arranged in _cancelled():
        yield Scenario(f"cancel, {name}", "api labeling set", arranged, Action("cancel", 6), CANCELLING, CANCELLING[:1])
    for via in VIAS:
        finished = (send(0), DONE, tick(5))
        yield Scenario(f"announce, {via}", via, finished, Action("announce"), ANNOUNCING, ANNOUNCING)
    yield from scenes_of_imports()


def cases(probe: Probe, only: str = "") -> Iterator[Case]:
    """All of them, or those of scenes whose names begin with `only`.

    `probe` says which AWS calls a scene's target makes when nothing goes wrong.
    """
    for scene in scenes():
        if not scene.name.startswith(only):
            continue
        for fault in faults_of(probe(scene)):
            reported = fault.kind in _REPORTED or fault.lasting
            for sequel in scene.few_sequels if reported else scene.sequels:
                yield Case(scene, fault, sequel)


def _reconciled() -> Iterator[tuple[str, Via, tuple[Stage, ...], float]]:
    for via in ("api labeling set", "upload"):
        start = "StartMLLabelingSetGenerationTaskRun" if via == "api labeling set" else "StartImportLabelsTaskRun"
        yield f"{via} started, answer lost", via, (broken(start, Kind.ANSWER_LOST),), 5
        yield f"{via} started, answer lost, much later", via, (broken(start, Kind.ANSWER_LOST),), 75
        yield f"{via} not started, answer lost", via, (broken(start, Kind.REQUEST_LOST),), 75
        yield f"{via} killed before Glue was asked", via, (broken(start, Kind.KILLED_BEFORE),), 63
        yield f"{via} killed before Glue was asked, and noticed", via, (broken(start, Kind.KILLED_BEFORE), tick(63)), 75
        yield f"{via} killed after Glue was asked", via, (broken(start, Kind.KILLED_AFTER),), 63
        yield f"{via} finished", via, (send(0), DONE), 5
    yield "queued at the limit, now free", "api labeling set", (FULL, send(0), FREE), 5
    yield "queued at the limit, still full", "api labeling set", (FULL, send(0)), 5
    yield "queued behind an import, now free", "api import", (OTHER_IMPORT, send(0), FREE, tick(5)), 7
    yield "waited too long", "api labeling set", (FULL, send(0)), 1100
    cancelled = (broken("StartMLLabelingSetGenerationTaskRun", Kind.ANSWER_LOST), (Action("cancel", 3),))
    yield "cancelled while in doubt", "api labeling set", (HELD, *cancelled), 5


def _cancelled() -> Iterator[tuple[str, tuple[Stage, ...]]]:
    yield "running", (HELD, send(0), tick(3))
    yield "queued", (FULL, send(0))
    yield "in doubt", (HELD, broken("StartMLLabelingSetGenerationTaskRun", Kind.ANSWER_LOST))
    yield "reserved", (broken("StartMLLabelingSetGenerationTaskRun", Kind.KILLED_BEFORE),)
