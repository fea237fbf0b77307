"""The stages that several situations are made of."""

from tests.chaos.cases import Action, Stage
from tests.chaos.faults import Fault, Kind

HELD: Stage = (Action("hold"),)
FULL: Stage = (Action("fill"),)
FREE: Stage = (Action("release"), Action("let Glue finish"))
DONE: Stage = (Action("let Glue finish"),)
OTHER_IMPORT: Stage = (Action("open import"),)
LABELED: Stage = (Action("have labels"),)


def broken(operation: str, kind: Kind, action: Action = Action("send")) -> Stage:  # noqa: B008  frozen
    """`action`, whose call of Glue's `operation` goes wrong, whichever call that is."""
    return (Action(action.what, action.at, Fault(0, f"glue.{operation}", kind, lasting=True)),)
