"""Errors about labeling sets as HTTP problems; imported with the routes about them."""

from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response

from core.errors import LoopError, S3Unavailable
from core.labeling.errors import LinkNotFound, PageOff, SetChanged, SetNotReady, SetUnusable, TooManyLinks
from handlers.rest.problems import ProblemKind, kind_of, problem

KINDS: dict[type[LoopError], ProblemKind] = {
    PageOff: ProblemKind(HTTPStatus.NOT_FOUND, "Labeling page off"),
    LinkNotFound: ProblemKind(HTTPStatus.NOT_FOUND, "Unknown link"),
    SetNotReady: ProblemKind(HTTPStatus.CONFLICT, "Labeling set not ready", None, 30),
    SetUnusable: ProblemKind(HTTPStatus.CONFLICT, "Labeling set not usable"),
    SetChanged: ProblemKind(HTTPStatus.CONFLICT, "Labeling set changed"),
    TooManyLinks: ProblemKind(HTTPStatus.CONFLICT, "Too many links"),
    S3Unavailable: ProblemKind(HTTPStatus.SERVICE_UNAVAILABLE, "Try again later", "S3 is temporarily unavailable.", 5),
}


def error_problem(error: LoopError) -> Response[str]:
    """The problem for an error of a type in KINDS."""
    return problem(kind_of(error, KINDS), str(error))
