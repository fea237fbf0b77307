"""The API's routes about labeling sets, for those who have people label them. Imported when the first request needs them."""

from datetime import timedelta
from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path
from aws_lambda_powertools.event_handler.router import APIGatewayRouter
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from core.errors import RunNotFound
from core.labeling.links import (
    DEFAULT_LINK_SECONDS,
    MAX_LABELER_CHARACTERS,
    MAX_LINK_SECONDS,
    MIN_LINK_SECONDS,
    LinkRequest,
    list_links,
    mint_link,
    revoke_link,
)
from core.labeling.overview import answers_by_labeler, compare_labelers, overview
from core.labeling.ports import LabelingDependencies
from core.labeling.sets import get_set_run
from core.labeling.store import load_set
from core.labeling.views import (
    AgreementView,
    AnswersList,
    LabelerAnswers,
    LabelingSetView,
    LinkList,
    NewLinkView,
    agreement_view,
    labeling_set_view,
    link_view,
    new_link_view,
)
from core.runs import Run, is_run_id
from handlers import wiring
from handlers.callers import rest_caller, rest_session
from handlers.rest.bodies import JSON
from handlers.rest.headers import LOCATION
from handlers.rest.routes import (
    LABELING_SET,
    LABELING_SET_AGREEMENT,
    LABELING_SET_ANSWERS,
    LABELING_SET_CONSENSUS,
    LABELING_SET_LINK,
    LABELING_SET_LINKS,
)

CSV = "text/csv; charset=utf-8"
_MAX_ID_CHARACTERS_SHOWN = 64
_NOT_STORED = {"Cache-Control": "no-store"}

router = APIGatewayRouter()  # type: ignore[no-untyped-call]  # Powertools left it untyped

SetId = Annotated[
    str, Path(description="The `id` of the run that generated the labeling set.", examples=["0123456789abcdef0123456789abcdef"])
]
LinkId = Annotated[str, Path(description="The `linkId` of the link.", examples=["h3Jk9_aQ-ZxT0b7M"])]


class CreateLinkRequest(BaseModel):
    """Make a link with which a person can label the set in a browser."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True, strict=True, defer_build=True)

    labeler: Annotated[
        str,
        Field(
            description="Who labels: answers are kept by this name. Visible characters, without spaces around them.",
            min_length=1,
            max_length=MAX_LABELER_CHARACTERS,
            examples=["ann"],
        ),
    ]
    expires_in_seconds: Annotated[
        int, Field(description="How long the link is valid.", ge=MIN_LINK_SECONDS, le=MAX_LINK_SECONDS)
    ] = DEFAULT_LINK_SECONDS
    may_import: Annotated[bool, Field(description="Whether the labeler may start the import, in your name.")] = True
    blind: Annotated[bool, Field(description="Whether the page shows no suggestions.")] = False


@router.get(LABELING_SET, operation_id="getLabelingSet")
def get_labeling_set(id: SetId) -> Response[LabelingSetView]:  # noqa: A002  the path's own name
    """Return the labeling set, its labelers and its submission."""
    return Response(HTTPStatus.OK, JSON, labeling_set_view(overview(_run(id), _dependencies())))


@router.get(LABELING_SET_ANSWERS, operation_id="listAnswers")
def list_answers(id: SetId) -> Response[AnswersList]:  # noqa: A002  the path's own name
    """Return the answers of each labeler."""
    stored = load_set(_run(id).id, _dependencies())
    given = answers_by_labeler(stored.record, _dependencies()) if stored else {}
    items = [LabelerAnswers(labeler=labeler, answers=each.answers) for labeler, each in given.items() if each]
    return Response(HTTPStatus.OK, JSON, AnswersList(items=items))


@router.get(LABELING_SET_AGREEMENT, operation_id="getAgreement")
def get_agreement(id: SetId) -> Response[AgreementView]:  # noqa: A002  the path's own name
    """Return how far the labelers agree, and where they do not."""
    return Response(HTTPStatus.OK, JSON, agreement_view(id, compare_labelers(_run(id), _dependencies())))


@router.get(LABELING_SET_CONSENSUS, operation_id="getConsensus", enable_validation=False)
def get_consensus(id: SetId) -> Response[str]:  # noqa: A002  the path's own name
    """Return the label file of the rows on which the labelers agree."""
    return Response(HTTPStatus.OK, CSV, compare_labelers(_run(id), _dependencies()).consensus_file)


@router.post(LABELING_SET_LINKS, operation_id="createLink")
def create_link(id: SetId, request: CreateLinkRequest) -> Response[NewLinkView]:  # noqa: A002  the path's own name
    """Make a link to the labeling page."""
    event = router.current_event.raw_event
    wanted = LinkRequest(
        labeler=request.labeler,
        lifetime=timedelta(seconds=request.expires_in_seconds),
        may_import=request.may_import,
        blind=request.blind,
    )
    new = mint_link(_run(id), wanted, rest_caller(event), rest_session(event), _dependencies())
    headers: dict[str, str | list[str]] = {LOCATION: f"links/{new.link.link_id}", **_NOT_STORED}
    return Response(HTTPStatus.CREATED, JSON, new_link_view(new), headers=headers)


@router.get(LABELING_SET_LINKS, operation_id="listLinks")
def list_set_links(id: SetId) -> Response[LinkList]:  # noqa: A002  the path's own name
    """Return the links that are valid, without their secrets."""
    links = list_links(_run(id).id, _dependencies())
    return Response(HTTPStatus.OK, JSON, LinkList(items=[link_view(link) for link in links]))


@router.delete(LABELING_SET_LINK, operation_id="revokeLink")
def revoke_set_link(id: SetId, linkId: LinkId) -> Response[None]:  # noqa: A002, N803  the path's own names
    """Revoke a link from the next request on."""
    revoke_link(_run(id).id, linkId, _dependencies())
    return Response(HTTPStatus.NO_CONTENT, JSON, None)


def _run(text: str) -> Run:
    """The run of the set. Raises RunNotFound, without reading the ledger for what is no id."""
    if not is_run_id(text):
        raise RunNotFound(f"There is no labeling set {text[:_MAX_ID_CHARACTERS_SHOWN]}.")
    return get_set_run(text, rest_caller(router.current_event.raw_event), _dependencies())


def _dependencies() -> LabelingDependencies:
    passed: LabelingDependencies | None = router.context.get("labeling")
    return passed or wiring.labeling()
