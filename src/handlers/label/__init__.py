"""The label API: the labeling page, and what it does with the token of a link. No request here is signed."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from core.labeling.ports import LabelingDependencies
from handlers import wiring
from handlers.label.api import answer_request


def handler(event: dict[str, Any], context: LambdaContext, deps: LabelingDependencies | None = None) -> dict[str, Any]:
    """Answer one request; a test passes its own dependencies."""
    return answer_request(event, context, lambda: deps or wiring.labeling())
