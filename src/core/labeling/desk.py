"""What one request of the label API works with: the link that opened it, the set's record, and the labeler's answers."""

from typing import NamedTuple

from core.errors import RunNotFound
from core.labeling.answers import Answer
from core.labeling.labeling_set_file import LabelingSetFile
from core.labeling.links import open_link
from core.labeling.ports import LabelingDependencies
from core.labeling.records import AnswersRecord, Link, SetRecord
from core.labeling.sets import read_set_file
from core.labeling.store import Stored, load_answers, load_set

NO_ANSWERS = "none"  # the revision of answers that were never saved


class Desk(NamedTuple):
    """A labeler at work on a set. `answers` is None before the first are saved."""

    link: Link
    set: Stored[SetRecord]
    answers: Stored[AnswersRecord] | None

    @property
    def given(self) -> dict[int, Answer]:
        """The saved answers."""
        return self.answers.record.answers if self.answers else {}

    @property
    def revision(self) -> str:
        return self.answers.revision if self.answers else NO_ANSWERS

    def read_file(self, deps: LabelingDependencies) -> LabelingSetFile:
        """Raises SetChanged, S3Unavailable."""
        return read_set_file(self.set.record, deps)


def open_desk(token: str, set_id: str, deps: LabelingDependencies) -> Desk:
    """What the token opens, by three reads. Raises LinkRefused, NotThisSet, RunNotFound, LedgerUnavailable."""
    link = open_link(token, set_id, deps)
    stored = load_set(set_id, deps)
    if stored is None:
        raise RunNotFound("The labeling set is no longer remembered.")
    return Desk(link, stored, load_answers(set_id, link.labeler, deps))
