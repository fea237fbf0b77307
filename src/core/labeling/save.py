"""Save a labeler's answers, on condition that nobody else has saved them since they were read."""

import logging
from collections.abc import Mapping

from core.labeling.answers import Answer, AnswerCounts, count_answers
from core.labeling.desk import NO_ANSWERS, Desk
from core.labeling.errors import AlreadySubmitted, AnswersChanged
from core.labeling.ports import LabelingDependencies, StaleDocument
from core.labeling.records import AnswersRecord
from core.labeling.store import parse_document, save_answers
from core.labeling.submissions import submission_state

_log = logging.getLogger(__name__)


def save(
    answers: Mapping[int, Answer], expected: str, desk: Desk, deps: LabelingDependencies, *, correct: bool = False
) -> tuple[AnswerCounts, str]:
    """Replace the labeler's answers of revision `expected`; returns their counts and the new revision.

    `correct`: also after the labels were imported. Raises AnswersChanged, AlreadySubmitted.
    """
    if expected != desk.revision:
        raise _changed(desk.given, desk.revision)
    state = submission_state(desk.set.record.submission, deps)
    now = deps.runs.clock()
    if state and not (state.allows_changes(now, deps) or (correct and state.has_succeeded)):
        raise AlreadySubmitted(state.submission)
    record = AnswersRecord(labeler=desk.link.labeler, answers=dict(answers), saved_on=now)
    try:
        revision = save_answers(desk.link.set_id, record, None if expected == NO_ANSWERS else expected, deps)
    except StaleDocument as stale:
        current = parse_document(stale.current, AnswersRecord) if stale.current else None
        raise _changed(current.record.answers if current else {}, current.revision if current else NO_ANSWERS) from stale
    counts = count_answers(answers)
    _log.info("ANSWERS_SAVED", extra={"id": desk.link.set_id, "answered": counts.answered, "unsure": counts.unsure})
    return counts, revision


def _changed(answers: Mapping[int, Answer], revision: str) -> AnswersChanged:
    return AnswersChanged({str(row): answer for row, answer in answers.items()}, revision)
