"""The moves between states that the service may make, of one attempt and from an attempt to the next."""

from core.runs import IN_GLUE, Status

_ENDED_IN_GLUE = {Status.SUCCEEDED, Status.FAILED, Status.STOPPED, Status.TIMEOUT}
_IN_GLUE_OR_ENDED = {*IN_GLUE, *_ENDED_IN_GLUE}
_NEW = {Status.RESERVED, Status.QUEUED, Status.REFUSED}

LEGAL: dict[Status | None, set[Status]] = {
    None: _NEW,
    Status.RESERVED: _IN_GLUE_OR_ENDED
    | {Status.RESERVED, Status.QUEUED, Status.UNCONFIRMED, Status.REFUSED, Status.CANCELLED, Status.LOST}
    | {Status.START_FAILED},  # of an attempt that is given back
    Status.QUEUED: {Status.QUEUED, Status.RESERVED, Status.REFUSED, Status.CANCELLED, Status.START_FAILED},
    Status.UNCONFIRMED: _IN_GLUE_OR_ENDED
    | {Status.UNCONFIRMED, Status.RESERVED, Status.REFUSED, Status.CANCELLED, Status.START_FAILED, Status.LOST},
    Status.STARTING: {*_IN_GLUE_OR_ENDED, Status.LOST},
    Status.RUNNING: {Status.RUNNING, Status.STOPPING, *_ENDED_IN_GLUE, Status.LOST},
    Status.STOPPING: {Status.STOPPING, *_ENDED_IN_GLUE, Status.LOST},
    # The same key starts a new attempt; an attempt that is given back leaves the item as it was.
    Status.REFUSED: _NEW,
    Status.START_FAILED: _NEW,
    Status.CANCELLED: _NEW,
}


def is_legal(before: str | None, after: str) -> bool:
    return Status(after) in LEGAL.get(Status(before) if before else None, set())
