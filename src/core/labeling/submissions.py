"""The state of a set's submission, which is that of the import that it became."""

from datetime import datetime
from typing import NamedTuple

from core.labeling.ports import LabelingDependencies
from core.labeling.records import Submission
from core.runs import TERMINAL, Run, Status

ENDED_BADLY = TERMINAL - {Status.SUCCEEDED}


class SubmissionState(NamedTuple):
    """A submission and the run of its import; None while that is not in the ledger, since its start failed or is under way."""

    submission: Submission
    run: Run | None

    @property
    def has_succeeded(self) -> bool:
        return self.run is not None and self.run.status is Status.SUCCEEDED

    def is_open(self, now: datetime, deps: LabelingDependencies) -> bool:
        """Whether the import may still start or end: until then, nothing else may be submitted.

        A reservation without a run counts for as long as the process that made it can live.
        """
        if self.run is None:
            return now <= self.submission.reserved_on + deps.runs.policy.lease
        return not self.run.status.is_terminal

    def allows_changes(self, now: datetime, deps: LabelingDependencies) -> bool:
        """Whether answers may be changed, and other labels submitted."""
        return not self.is_open(now, deps) and not self.has_succeeded


def submission_state(submission: Submission | None, deps: LabelingDependencies) -> SubmissionState | None:
    """Raises LedgerUnavailable."""
    return None if submission is None else SubmissionState(submission, deps.runs.ledger.get(submission.task_run_id))
