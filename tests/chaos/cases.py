"""A case: a scenario, one fault at one AWS call of it, and what follows."""

from dataclasses import dataclass, replace
from typing import Literal

from tests.chaos.faults import Fault

RequestKind = Literal[
    "api labeling set",
    "api import",
    "bus labeling set",
    "upload",
    "api replace",
    "api replace with export",
    "bus replace with export",
    "api evaluation",
    "bus evaluation",
    "api export",
    "bus export",
]
HandlerAction = Literal["send", "tick", "cancel", "announce", "open import"]
GlueAction = Literal["hold", "fill", "release", "let Glue finish", "have labels", "have no labels", "let exports fail"]
S3Action = Literal["change file", "remove file", "restore file"]
REQUEST_KINDS: tuple[RequestKind, ...] = ("api labeling set", "api import", "bus labeling set", "upload")


@dataclass(frozen=True)
class Action:
    """One handler run, or a change of Glue or S3 between handler runs. `at`: see HandlerRun."""

    kind: HandlerAction | GlueAction | S3Action
    at: float = 0.0
    fault: Fault | None = None


Step = tuple[Action, ...]  # actions that happen at the same time


@dataclass(frozen=True)
class FollowUp:
    """What callers and the clock do after the faulty handler run. Its times count from that run's."""

    name: str
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Scenario:
    """A situation (`before`), and the handler run in it (`target`) that meets a fault at each of its AWS calls in turn.

    `follow_ups` come after faults whose outcome the caller cannot know, such as a lost response or a killed process;
    `reported_follow_ups` after faults that AWS reports.
    """

    name: str
    request_kind: RequestKind
    before: tuple[Step, ...]
    target: Action
    follow_ups: tuple[FollowUp, ...]
    reported_follow_ups: tuple[FollowUp, ...]


@dataclass(frozen=True)
class Case:
    scenario: Scenario
    fault: Fault
    follow_up: FollowUp

    def __str__(self) -> str:
        return f"{self.scenario.name} | {self.fault} | {self.follow_up.name}"

    @property
    def steps(self) -> tuple[Step, ...]:
        target = replace(self.scenario.target, fault=self.fault)
        later = (tuple(replace(action, at=target.at + action.at) for action in step) for step in self.follow_up.steps)
        return (*self.scenario.before, (target,), *later)
