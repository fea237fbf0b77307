"""Every error that labeling raises on purpose, beside those of core.errors. The texts are written for callers."""

from typing import NamedTuple

from core.errors import LoopError
from core.labeling.records import Submission


class PageOff(LoopError):
    """This deployment has no labeling page."""


class SetNotReady(LoopError):
    """The labeling set is not generated yet."""


class SetUnusable(LoopError):
    """The labeling set's run ended without success, or its folder does not hold exactly one readable labeling set."""


class SetChanged(LoopError):
    """The labeling set's file is not the one that was pinned when the first link was made."""


class TooManyLinks(LoopError):
    """The labeling set has as many links as it may."""


class LinkNotFound(LoopError):
    """The set has no such link."""


class LinkRefused(LoopError):
    """The token opens nothing; `code` is LINK_UNKNOWN, LINK_REVOKED or LINK_EXPIRED."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class NotThisSet(LoopError):
    """The token is for another labeling set."""


class ImportNotAllowed(LoopError):
    """The link is for labeling only."""


class AnswersChanged(LoopError):
    """The answers were saved elsewhere since they were read; `answers` is their JSON, `revision` their revision."""

    def __init__(self, answers: dict[str, object], revision: str) -> None:
        super().__init__("The answers were saved elsewhere since they were read.")
        self.answers = answers
        self.revision = revision


class AlreadySubmitted(LoopError):
    """The labels of the set were submitted, and their import is open or has succeeded."""

    def __init__(self, submission: Submission) -> None:
        when = submission.submitted_on.isoformat(timespec="seconds")
        super().__init__(f"The labels of this set were submitted by {submission.labeler} at {when}.")
        self.submission = submission


class Finding(NamedTuple):
    """What is wrong, or worth a look; `row` is the row's number from 0, None for the whole file."""

    message: str
    row: int | None = None


class LabelsNotFit(LoopError):
    """The labels cannot be imported."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("The labels cannot be imported; see errors.")
        self.findings = findings


class RowsNotRecognized(LoopError):
    """Rows of an uploaded file cannot be told apart, or are not of this labeling set."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("Some rows of the file cannot be recognized, so nothing was taken over; see errors.")
        self.findings = findings


class UnreadableUpload(LoopError):
    """The uploaded file is no CSV file with the columns labeling_set_id and label."""
