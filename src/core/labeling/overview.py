"""A labeling set as its owner sees it: its state, its labelers, their answers, and how far they agree."""

from typing import NamedTuple

from core.labeling.agreement import Agreement, compare
from core.labeling.errors import SetUnusable
from core.labeling.labeling_set_file import LabelingSetFile
from core.labeling.labels import make_labels
from core.labeling.ports import LabelingDependencies
from core.labeling.records import AnswersRecord, SetRecord
from core.labeling.sets import find_set, pinned_set, read_set_file
from core.labeling.splice import splice_labels
from core.labeling.store import load_answers, load_set
from core.labeling.submissions import ENDED_BADLY, SubmissionState, submission_state
from core.runs import Run, Status


class Overview(NamedTuple):
    """`record` is None while the set has no file that can be labeled; `labelers` have answers or None before the first."""

    run: Run
    status: str
    record: SetRecord | None
    labelers: dict[str, AnswersRecord | None]
    state: SubmissionState | None


class Comparison(NamedTuple):
    """The labelers' agreement, and the file that it is about."""

    agreement: Agreement
    file: LabelingSetFile

    @property
    def consensus_file(self) -> str:
        """The label file of the rows on which the labelers agree."""
        return splice_labels(self.file, make_labels(self.agreement.consensus, self.file).by_row).body.decode()


def overview(run: Run, deps: LabelingDependencies) -> Overview:
    """Raises LedgerUnavailable, S3Unavailable."""
    if run.status is not Status.SUCCEEDED:
        return Overview(run, run.status.value if run.status.is_terminal else "GENERATING", None, {}, None)
    stored = load_set(run.id, deps)
    record = stored.record if stored else _unpinned(run, deps)
    labelers = answers_by_labeler(record, deps) if stored and record else {}
    state = submission_state(record.submission, deps) if record else None
    return Overview(run, _status(labelers, state), record, labelers, state)


def answers_by_labeler(record: SetRecord, deps: LabelingDependencies) -> dict[str, AnswersRecord | None]:
    """Labeler -> answers, None before the first; by one read each."""
    stored = {labeler: load_answers(record.id, labeler, deps) for labeler in record.labelers}
    return {labeler: each.record if each else None for labeler, each in stored.items()}


def compare_labelers(run: Run, deps: LabelingDependencies) -> Comparison:
    """Raises SetNotReady, SetUnusable, SetChanged, LedgerUnavailable, S3Unavailable."""
    record = pinned_set(run, deps).record
    file = read_set_file(record, deps)
    given = {labeler: each.answers for labeler, each in answers_by_labeler(record, deps).items() if each}
    return Comparison(compare(given, file), file)


def _unpinned(run: Run, deps: LabelingDependencies) -> SetRecord | None:
    try:
        return find_set(run, deps)
    except SetUnusable:
        return None


def _status(labelers: dict[str, AnswersRecord | None], state: SubmissionState | None) -> str:
    if state and state.has_succeeded:
        return "IMPORTED"
    if state and not (state.run and state.run.status in ENDED_BADLY):
        return "SUBMITTED"
    return "LABELING" if any(labelers.values()) else "READY"
