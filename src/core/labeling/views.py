"""The public forms of labeling: to owners over the signed API, to labelers over the label API."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from core.evaluation_metrics import EvaluationMetrics
from core.labeling.answers import Answer, count_answers
from core.labeling.check import CheckedLabels
from core.labeling.desk import Desk
from core.labeling.labeling_set_file import LabelingSetFile
from core.labeling.labels import make_labels
from core.labeling.links import NewLink
from core.labeling.overview import Comparison, Overview
from core.labeling.records import AnswersRecord, Link
from core.labeling.submissions import SubmissionState
from core.runs import Run, Status
from core.views import TaskRunError, Timestamp, View


class SubmissionView(View):
    """Labels that were submitted. `taskRunId` is the `id` of the import's task run, whose status and error these are."""

    task_run_id: str
    labeler: str
    submitted_on: Timestamp
    status: Status
    error: TaskRunError | None
    rows: int
    left_out: int
    match_pairs: int
    non_match_pairs: int


class RowView(View):
    """A row of the set's file: the id of its labeling set, and its cells in the order of the columns; always strings."""

    set: str
    cells: tuple[str, ...]


class EvaluationView(View):
    """The quality of the matching after a round, from 0 to 1; null where Glue gave no value."""

    completed_on: Timestamp | None
    f1: float | None
    precision: float | None
    recall: float | None


class DeskView(View):
    """What a labeler sees of the set: its rows, and the labeler's own answers by row number.

    `evaluations` are those of earlier rounds, oldest first: they tell whether another round is worth it.
    """

    id: str
    transform_id: str
    labeler: str
    may_import: bool
    blind: bool
    expires_on: Timestamp
    sha256: str
    columns: tuple[str, ...]
    rows: tuple[RowView, ...]
    answers: dict[int, Answer]
    submission: SubmissionView | None
    evaluations: tuple[EvaluationView, ...]


class FindingView(View):
    """What is wrong or worth a look; `row` is the row's number, null for the whole file."""

    message: str
    row: int | None


class CheckResult(View):
    """What an import of the saved answers would bring."""

    ok: bool
    errors: list[FindingView]
    warnings: list[FindingView]
    rows: int
    left_out: int
    match_pairs: int
    non_match_pairs: int


class LabelerProgress(View):
    """How far a labeler is; `lastAnsweredOn` is null before the first answer."""

    labeler: str
    answered: int
    unsure: int
    last_answered_on: Timestamp | None


class LinkView(View):
    """A link to the labeling page, without its secret."""

    link_id: str
    labeler: str
    may_import: bool
    blind: bool
    expires_on: Timestamp


class NewLinkView(LinkView):
    """A new link. The `url` holds its secret: it is not kept, and cannot be shown again."""

    url: str


class LinkList(View):
    """The links of a set that are valid, newest first."""

    items: list[LinkView]


class LabelerAnswers(View):
    """The answers of one labeler, by row number from 0: a group, `alone` or `unsure`."""

    labeler: str
    answers: dict[int, Answer]


class AnswersList(View):
    """The answers of every labeler of a set."""

    items: list[LabelerAnswers]


class LabelingSetView(View):
    """A labeling set. What is not known before its file exists is null."""

    id: str
    transform_id: str
    status: Annotated[
        str,
        Field(description="`GENERATING`, `READY`, `LABELING`, `SUBMITTED`, `IMPORTED`, or how the run ended without success."),
    ]
    object_s3_path: str | None
    rows: int | None
    sets: int | None
    columns: tuple[str, ...] | None
    labelers: list[LabelerProgress]
    submission: SubmissionView | None


def submission_view(state: SubmissionState) -> SubmissionView:
    run, submission = state.run, state.submission
    return SubmissionView(
        task_run_id=submission.task_run_id,
        labeler=submission.labeler,
        submitted_on=submission.submitted_on,
        status=run.status if run else Status.RESERVED,
        error=TaskRunError(code=run.error.code, message=run.error.message) if run and run.error else None,
        rows=len(submission.rows),
        left_out=submission.left_out,
        match_pairs=submission.match_pairs,
        non_match_pairs=submission.non_match_pairs,
    )


def desk_view(desk: Desk, file: LabelingSetFile, state: SubmissionState | None, evaluations: Sequence[Run] = ()) -> DeskView:
    return DeskView(
        id=desk.set.record.id,
        transform_id=desk.set.record.transform_id,
        labeler=desk.link.labeler,
        may_import=desk.link.may_import,
        blind=desk.link.blind,
        expires_on=desk.link.expires_on,
        sha256=file.sha256,
        columns=file.columns,
        rows=tuple(RowView(set=row.set, cells=row.cells) for row in file.rows),
        answers=desk.given,
        submission=submission_view(state) if state else None,
        evaluations=tuple(_evaluation_view(run, run.metrics) for run in evaluations if run.metrics is not None),
    )


def _evaluation_view(run: Run, metrics: EvaluationMetrics) -> EvaluationView:
    return EvaluationView(completed_on=run.completed_on, f1=metrics.f1, precision=metrics.precision, recall=metrics.recall)


def check_result(checked: CheckedLabels) -> CheckResult:
    return CheckResult(
        ok=checked.is_fit,
        errors=[FindingView(message=each.message, row=each.row) for each in checked.errors],
        warnings=[FindingView(message=each.message, row=each.row) for each in checked.warnings],
        rows=len(checked.labels.by_row),
        left_out=checked.left_out,
        match_pairs=checked.labels.match_pairs,
        non_match_pairs=checked.labels.non_match_pairs,
    )


def link_view(link: Link) -> LinkView:
    return LinkView(
        link_id=link.link_id,
        labeler=link.labeler,
        may_import=link.may_import,
        blind=link.blind,
        expires_on=link.expires_on,
    )


def new_link_view(new: NewLink) -> NewLinkView:
    return NewLinkView(**link_view(new.link).model_dump(), url=new.url)


def progress_view(labeler: str, record: AnswersRecord | None) -> LabelerProgress:
    counts = count_answers(record.answers if record else {})
    return LabelerProgress(
        labeler=labeler,
        answered=counts.answered,
        unsure=counts.unsure,
        last_answered_on=record.saved_on if record else None,
    )


class PairAgreementView(View):
    """Two labelers, compared by pairs of rows: `kappa` is Cohen's, null where all their judgments are alike."""

    labelers: tuple[str, ...]
    compared_pairs: int
    agreed_pairs: int
    kappa: float | None


class DisagreementView(View):
    """Two rows of a set, by their numbers, and who says that they are the same or different."""

    set: str
    rows: tuple[int, ...]
    same: tuple[str, ...]
    different: tuple[str, ...]


class AgreementView(View):
    """How far the labelers of a set agree. `consensusRows` counts the rows of `consensus.csv`."""

    labeling_set_id: str
    pairs: list[PairAgreementView]
    disagreements: list[DisagreementView]
    consensus_rows: int


def labeling_set_view(seen: Overview) -> LabelingSetView:
    record = seen.record
    return LabelingSetView(
        id=seen.run.id,
        transform_id=seen.run.transform_id or "",
        status=seen.status,
        object_s3_path=record.path if record else None,
        rows=record.rows if record else None,
        sets=record.sets if record else None,
        columns=record.columns if record else None,
        labelers=[progress_view(labeler, each) for labeler, each in seen.labelers.items()],
        submission=submission_view(seen.state) if seen.state else None,
    )


def agreement_view(set_id: str, comparison: Comparison) -> AgreementView:
    agreement, rows = comparison.agreement, comparison.file.rows
    return AgreementView(
        labeling_set_id=set_id,
        pairs=[
            PairAgreementView(labelers=each.labelers, compared_pairs=each.compared, agreed_pairs=each.agreed, kappa=each.kappa)
            for each in agreement.pairs
        ],
        disagreements=[
            DisagreementView(set=rows[each.rows[0]].set, rows=each.rows, same=each.same, different=each.different)
            for each in agreement.disagreements
        ],
        consensus_rows=len(make_labels(agreement.consensus, comparison.file).by_row),
    )
