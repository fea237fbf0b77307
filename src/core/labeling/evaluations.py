"""How good the matching was after each round, for the labeler who asks whether to go on."""

from collections.abc import Sequence

from core.labeling.desk import Desk
from core.labeling.ports import LabelingDependencies
from core.ports import RunFilter
from core.queries import list_runs
from core.runs import Run, Status, TaskType

_MAX_EVALUATIONS = 10


def past_evaluations(desk: Desk, deps: LabelingDependencies) -> Sequence[Run]:
    """The latest evaluations of the transform that whoever made the link may see, oldest first. Raises LedgerUnavailable."""
    wanted = RunFilter(desk.set.record.transform_id, Status.SUCCEEDED, TaskType.EVALUATION)
    page = list_runs(wanted, desk.link.minted_by, _MAX_EVALUATIONS, None, deps.runs)
    return [run for run in reversed(page.items) if run.metrics is not None]
