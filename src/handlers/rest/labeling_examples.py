"""Examples of what is sent about labeling sets, for the OpenAPI document."""

from datetime import UTC, datetime

from pydantic import BaseModel

from core.labeling.views import (
    AgreementView,
    AnswersList,
    DisagreementView,
    LabelerAnswers,
    LabelerProgress,
    LabelingSetView,
    LinkList,
    LinkView,
    NewLinkView,
    PairAgreementView,
    SubmissionView,
)
from core.runs import Status
from handlers.rest.labeling_sets import CreateLinkRequest

SET_ID = "0123456789abcdef0123456789abcdef"
_LINK_ID = "h3Jk9_aQ-ZxT0b7M"
_ON = datetime(2026, 11, 22, 13, 0, 0, tzinfo=UTC)


def labeling_examples() -> dict[str, BaseModel]:
    """An example for each schema, by the schema's name."""
    link = LinkView(link_id=_LINK_ID, labeler="ann", may_import=True, blind=False, expires_on=_ON)
    progress = LabelerProgress(labeler="ann", answered=96, unsure=3, last_answered_on=_ON)
    submission = SubmissionView(
        task_run_id="fedcba9876543210fedcba9876543210",
        labeler="ann",
        submitted_on=_ON,
        status=Status.RUNNING,
        error=None,
        rows=93,
        left_out=7,
        match_pairs=61,
        non_match_pairs=352,
    )
    pair = PairAgreementView(labelers=("ann", "ben"), compared_pairs=413, agreed_pairs=405, kappa=0.93)
    disagreement = DisagreementView(set="s4", rows=(31, 34), same=("ann",), different=("ben",))
    answers = LabelerAnswers(labeler="ann", answers={0: 1, 1: 1, 2: "alone", 3: "unsure"})
    return {
        "CreateLinkRequest": CreateLinkRequest.model_validate({"labeler": "ann", "expiresInSeconds": 28_800}),
        "LinkView": link,
        "NewLinkView": NewLinkView(
            **link.model_dump(),
            url=f"https://abcde12345.execute-api.us-east-1.amazonaws.com/live/label#s={SET_ID}&t={_LINK_ID}.…",
        ),
        "LinkList": LinkList(items=[link]),
        "LabelerProgress": progress,
        "SubmissionView": submission,
        "LabelingSetView": LabelingSetView(
            id=SET_ID,
            transform_id="tfm-0123456789abcdef",
            status="SUBMITTED",
            object_s3_path=f"s3://my-bucket/labeling-sets/{SET_ID}/labelingset.csv",
            rows=100,
            sets=10,
            columns=("id", "name", "city"),
            labelers=[progress],
            submission=submission,
        ),
        "LabelerAnswers": answers,
        "AnswersList": AnswersList(items=[answers]),
        "PairAgreementView": pair,
        "DisagreementView": disagreement,
        "AgreementView": AgreementView(labeling_set_id=SET_ID, pairs=[pair], disagreements=[disagreement], consensus_rows=90),
    }
