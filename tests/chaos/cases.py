"""What a case is: who does what, when, and what happens to one AWS call of one of them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from tests.chaos.faults import Fault

Via = Literal[
    "api labeling set",
    "api import",
    "bus labeling set",
    "upload",
    "api replace",
    "api replace with export",
    "bus replace with export",
]
Handled = Literal["send", "tick", "cancel", "announce", "open import"]
InGlue = Literal["hold", "fill", "release", "let Glue finish", "have labels", "have no labels", "let exports fail"]
InS3 = Literal["change file", "remove file", "restore file"]
VIAS: tuple[Via, ...] = ("api labeling set", "api import", "bus labeling set", "upload")


@dataclass(frozen=True)
class Action:
    """One handler run, or what befalls Glue and S3 in between. `at`: see HandlerRun."""

    what: Handled | InGlue | InS3
    at: float = 0.0
    fault: Fault | None = None


Stage = tuple[Action, ...]  # what happens at the same time


@dataclass(frozen=True)
class Sequel:
    """What callers and the clock do after the handler run that met the fault; its times count from that run's."""

    name: str
    stages: tuple[Stage, ...]


@dataclass(frozen=True)
class Scenario:
    """A situation, and the handler run in it whose AWS calls are interfered with one by one."""

    name: str
    via: Via
    before: tuple[Stage, ...]
    target: Action
    sequels: tuple[Sequel, ...]  # of faults after which the process is gone or knows nothing
    few_sequels: tuple[Sequel, ...]  # of faults that AWS reports


@dataclass(frozen=True)
class Case:
    scene: Scenario
    fault: Fault
    sequel: Sequel

    def __str__(self) -> str:
        return f"{self.scene.name} | {self.fault} | {self.sequel.name}"

    @property
    def stages(self) -> tuple[Stage, ...]:
        target = replace(self.scene.target, fault=self.fault)
        later = (tuple(replace(one, at=target.at + one.at) for one in stage) for stage in self.sequel.stages)
        return (*self.scene.before, (target,), *later)


def send(at: float, times: int = 1) -> Stage:
    return (Action("send", at),) * times


def tick(at: float, times: int = 1) -> Stage:
    return (Action("tick", at),) * times


def sequels_of_a_start() -> Iterator[Sequel]:
    """The same request again, or never; a reconcile before, after, during; two reconcilers at the same time."""
    yield Sequel("never again, a reconcile", (tick(5),))
    yield Sequel("never again, two reconciles at once", (tick(5, 2), tick(75, 2)))
    again = {
        "once": (send(2),),
        "once after the lease": (send(63),),
        "five times": (send(2), send(3), send(30), send(63), send(90)),
        "twenty at once": (send(2, 20),),
    }
    for name, stages in again.items():
        start, end = stages[0][0].at, stages[-1][0].at
        if name.startswith("once"):
            yield Sequel(f"{name}, a reconcile before", (tick(start - 1), *stages))
            yield Sequel(f"{name}, a reconcile after", (*stages, tick(end + 15)))
        yield Sequel(f"{name}, a reconcile during", (*stages[:-1], stages[-1] + tick(end)))
        yield Sequel(f"{name}, then two reconciles at once", (*stages, tick(end + 15, 2)))


STARTING = tuple(sequels_of_a_start())
SOME_STARTING = tuple(one for one in STARTING if one.name.endswith(("during", "two reconciles at once")))
FEW_STARTING = tuple(one for one in STARTING if one.name in {"never again, a reconcile", "once, a reconcile during"})
RECONCILING = (
    Sequel("nothing more", ()),
    Sequel("at the same time the request again", (send(1) + tick(1),)),
    Sequel("then two reconciles at once", (tick(1, 2),)),
)
RESTORED = Sequel("the file restored and sent again", ((Action("restore file"),), send(2), tick(3)))
CANCELLING = (
    Sequel("never again", ()),
    Sequel("again", ((Action("cancel", 2),),)),
    Sequel("the request again, a reconcile", (send(2), tick(3))),
)
ANNOUNCING = (
    Sequel("delivered again", ((Action("announce"),),)),
    Sequel("delivered twice at once", ((Action("announce"), Action("announce")),)),
)
