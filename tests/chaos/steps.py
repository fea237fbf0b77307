"""The steps that scenarios and follow-ups are made of."""

from tests.chaos.cases import Action, Step
from tests.chaos.faults import Fault, Kind

HOLD_RUNS: Step = (Action("hold"),)
REACH_LIMIT: Step = (Action("fill"),)
RELEASE_RUNS: Step = (Action("release"), Action("let Glue finish"))
LET_GLUE_FINISH: Step = (Action("let Glue finish"),)
OPEN_IMPORT: Step = (Action("open import"),)
HAVE_LABELS: Step = (Action("have labels"),)


def send(at: float, times: int = 1) -> Step:
    """The scenario's request, `times` at the same time."""
    return (Action("send", at),) * times


def tick(at: float, times: int = 1) -> Step:
    """The scheduled reconciler, `times` at the same time."""
    return (Action("tick", at),) * times


def with_fault(operation: str, kind: Kind, action: Action = Action("send")) -> Step:  # noqa: B008  frozen
    """`action`, whose every call of Glue's `operation` meets the fault."""
    return (Action(action.kind, action.at, Fault(0, f"glue.{operation}", kind, lasting=True)),)
