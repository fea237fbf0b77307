"""What may follow a faulty handler run: the same request again or never, reconciles before, during and after it."""

from collections.abc import Iterator

from tests.chaos.cases import Action, FollowUp
from tests.chaos.steps import send, tick


def _after_start() -> Iterator[FollowUp]:
    yield FollowUp("never again, a reconcile", (tick(5),))
    yield FollowUp("never again, two reconciles at once", (tick(5, 2), tick(75, 2)))
    again = {
        "once": (send(2),),
        "once after the lease": (send(63),),
        "five times": (send(2), send(3), send(30), send(63), send(90)),
        "twenty at once": (send(2, 20),),
    }
    for name, steps in again.items():
        start, end = steps[0][0].at, steps[-1][0].at
        if name.startswith("once"):
            yield FollowUp(f"{name}, a reconcile before", (tick(start - 1), *steps))
            yield FollowUp(f"{name}, a reconcile after", (*steps, tick(end + 15)))
        yield FollowUp(f"{name}, a reconcile during", (*steps[:-1], steps[-1] + tick(end)))
        yield FollowUp(f"{name}, then two reconciles at once", (*steps, tick(end + 15, 2)))


START = tuple(_after_start())
START_SAMPLE = tuple(follow_up for follow_up in START if follow_up.name.endswith(("during", "two reconciles at once")))
START_REPORTED = tuple(
    follow_up for follow_up in START if follow_up.name in {"never again, a reconcile", "once, a reconcile during"}
)
RECONCILE = (
    FollowUp("nothing more", ()),
    FollowUp("at the same time the request again", (send(1) + tick(1),)),
    FollowUp("then two reconciles at once", (tick(1, 2),)),
)
RESTORED_FILE = FollowUp("the file restored and sent again", ((Action("restore file"),), send(2), tick(3)))
CANCEL = (
    FollowUp("never again", ()),
    FollowUp("again", ((Action("cancel", 2),),)),
    FollowUp("the request again, a reconcile", (send(2), tick(3))),
)
ANNOUNCE = (
    FollowUp("delivered again", ((Action("announce"),),)),
    FollowUp("delivered twice at once", ((Action("announce"), Action("announce")),)),
)
