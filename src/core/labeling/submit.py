"""Submit a labeler's labels: they are imported once, however often and by however many processes they are submitted.

In this order: write the file, whose path holds the hash of its content; reserve the set for it; start the import, whose
idempotency key is made of set and hash. A process that dies in between leaves what the same answers, sent again, go on with.
"""

import logging
from datetime import datetime
from typing import NamedTuple

from core.errors import FileNotReadable, S3Unavailable, TryAgainLater
from core.labeling.check import CheckedLabels, check
from core.labeling.desk import Desk
from core.labeling.errors import AlreadySubmitted, AnswersChanged, Finding, ImportNotAllowed, LabelsNotFit
from core.labeling.ports import LabelingDependencies, StaleDocument
from core.labeling.records import SetRecord, Submission
from core.labeling.store import Stored, load_set, save_set
from core.labeling.submissions import ENDED_BADLY, SubmissionState, submission_state
from core.requests import LabelImportRequest, StartCommand
from core.runs import LabeledSet, run_id
from core.start import start

_log = logging.getLogger(__name__)
_HASH_DIGITS_IN_PATH = 16
_MAX_ATTEMPTS = 5


class Submitted(NamedTuple):
    """The submission as it stands now; `replayed` tells whether the same labels had been submitted before."""

    state: SubmissionState
    replayed: bool


class Request(NamedTuple):
    """`expected` is the revision of the answers that are submitted. `correct` lets them replace labels that were imported."""

    expected: str
    correct: bool
    correlation_id: str
    causation_id: str


def submit(request: Request, desk: Desk, deps: LabelingDependencies) -> Submitted:
    """Import the labels that the saved answers make, in the name of whoever minted the link.

    Raises ImportNotAllowed, AnswersChanged, LabelsNotFit, AlreadySubmitted, SetChanged, and what `core.start.start` raises.
    """
    if not desk.link.may_import:
        raise ImportNotAllowed("This link is for labeling only: whoever sent it starts the import.")
    if request.expected != desk.revision:
        raise AnswersChanged({str(row): answer for row, answer in desk.given.items()}, desk.revision)
    file = desk.read_file(deps)
    checked = check(desk.given, file, desk.set.record.transform_id, deps)
    if not checked.is_fit:
        raise LabelsNotFit(checked.errors)
    wanted = _submission(checked, desk, deps.runs.clock())
    try:
        deps.objects.create(wanted.path, checked.spliced.body)
    except (S3Unavailable, FileNotReadable) as error:
        raise TryAgainLater("The label file cannot be written at the moment; nothing was imported.") from error
    submission, replayed = _reserve(wanted, desk.set, request, deps)
    accepted = start(_command(submission, desk.set.record, request), deps.runs)
    if not accepted.replayed:
        extra = {"id": desk.link.set_id, "importRunId": accepted.run.id, "rows": len(submission.rows)}
        _log.info("LABELS_SUBMITTED", extra=extra)
    return Submitted(SubmissionState(submission, accepted.run), replayed)


def _submission(checked: CheckedLabels, desk: Desk, now: datetime) -> Submission:
    record = desk.set.record
    digest = checked.sha256
    submission = Submission(
        sha256=digest,
        path=f"{record.path.rpartition('/')[0]}/submitted/{digest[:_HASH_DIGITS_IN_PATH]}.csv",
        task_run_id="",
        labeler=desk.link.labeler,
        minted_by=desk.link.minted_by,
        submitted_on=now,
        reserved_on=now,
        rows=checked.spliced.rows,
        left_out=checked.left_out,
        match_pairs=checked.labels.match_pairs,
        non_match_pairs=checked.labels.non_match_pairs,
    )
    return _numbered(submission, record.id, 1)


def _numbered(submission: Submission, set_id: str, number: int) -> Submission:
    numbered = submission.model_copy(update={"number": number})
    return numbered.model_copy(update={"task_run_id": run_id(numbered.minted_by, _key(set_id, numbered))})


def _key(set_id: str, submission: Submission) -> str:
    return f"labels:{set_id}:{submission.key}"


def _reserve(
    wanted: Submission, stored: Stored[SetRecord], request: Request, deps: LabelingDependencies
) -> tuple[Submission, bool]:
    """The submission that the set is reserved for: `wanted`, or the same labels as they were submitted before."""
    for _ in range(_MAX_ATTEMPTS):
        state = submission_state(stored.record.submission, deps)
        reserved, replayed = _next(wanted, state, stored.record.id, request, deps)
        if reserved is None:
            return state.submission if state else wanted, replayed
        try:
            save_set(stored.record.model_copy(update={"submission": reserved}), stored.revision, deps)
        except StaleDocument:
            again = load_set(stored.record.id, deps)
            stored = again or stored
        else:
            return reserved, replayed
    raise TryAgainLater("The labels of this set are being submitted elsewhere at the same time; try again.")


def _next(
    wanted: Submission, state: SubmissionState | None, set_id: str, request: Request, deps: LabelingDependencies
) -> tuple[Submission | None, bool]:
    """What to reserve after `state` (None: it stands already), and whether that is a replay. Raises AlreadySubmitted."""
    if state is None:
        return wanted, False
    earlier, now = state.submission, deps.runs.clock()
    if earlier.sha256 == wanted.sha256:
        if state.run is None:  # died before the start, or the start was postponed
            return earlier.model_copy(update={"reserved_on": now}), True
        if state.run.status in ENDED_BADLY and not state.run.status.allows_new_attempt:
            return _numbered(wanted, set_id, earlier.number + 1), False
        return None, not state.run.status.allows_new_attempt
    if state.has_succeeded and request.correct:
        missing = sorted(set(earlier.rows) - set(wanted.rows))
        if missing:
            raise LabelsNotFit([Finding("was imported before: a correction must label it again", row) for row in missing])
        return wanted, False
    if not state.allows_changes(now, deps):
        raise AlreadySubmitted(earlier)
    return wanted, False


def _command(submission: Submission, record: SetRecord, request: Request) -> StartCommand:
    return StartCommand(
        caller=submission.minted_by,
        key=_key(record.id, submission),
        request=LabelImportRequest.model_validate({"transformId": record.transform_id, "inputS3Path": submission.path}),
        correlation_id=request.correlation_id,
        causation_id=request.causation_id,
        may_be_redelivered=False,
        labeled=LabeledSet(
            set_id=record.id,
            labeler=submission.labeler,
            rows=len(submission.rows),
            left_out=submission.left_out,
            match_pairs=submission.match_pairs,
            non_match_pairs=submission.non_match_pairs,
        ),
    )
