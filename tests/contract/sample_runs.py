"""Sample runs to write into ledgers."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from core.ports import Ledger
from core.requests import new_run
from core.runs import Progress, Run, RunError, Status
from tests.fakes.service import evaluation_command, export_command, import_command, labeling_command

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def labeling(number: int = 0, status: Status = Status.RESERVED, transform_id: str = "tfm-1") -> Run:
    """The labeling set accepted `number` seconds after noon."""
    command = labeling_command(f"labeling-{number}", transform_id)
    return replace(new_run(command, NOW + timedelta(seconds=number)), status=status)


def importing(number: int = 0, status: Status = Status.RESERVED, transform_id: str = "tfm-1") -> Run:
    """The import accepted `number` seconds after noon."""
    command = import_command(f"import-{number}", transform_id)
    return replace(new_run(command, NOW + timedelta(seconds=number)), status=status)


def evaluating(number: int = 0, status: Status = Status.RESERVED, transform_id: str = "tfm-1") -> Run:
    """The evaluation accepted `number` seconds after noon."""
    command = evaluation_command(f"evaluation-{number}", transform_id)
    return replace(new_run(command, NOW + timedelta(seconds=number)), status=status)


def exporting(number: int = 0, status: Status = Status.RESERVED, transform_id: str = "tfm-1") -> Run:
    """The export accepted `number` seconds after noon."""
    command = export_command(f"export-{number}", transform_id)
    return replace(new_run(command, NOW + timedelta(seconds=number)), status=status)


def progress(task_run_id: str, status: Status, error: RunError | None = None) -> Progress:
    """What Glue reports of a run that started at noon and changed a minute later."""
    completed_on = NOW + timedelta(seconds=59) if status.is_terminal else None
    return Progress(
        status=status,
        task_run_id=task_run_id,
        started_on=NOW,
        completed_on=completed_on,
        execution_time=59 if completed_on else None,
        error=error,
        changed_on=NOW + timedelta(minutes=1),
    )


def turn(ledger: Ledger, run: Run, *statuses: Status) -> Run:
    """Write the run with each of `statuses` in turn; return it as last written."""
    for status in statuses:
        run = ledger.write(run, replace(run, status=status))
    return run
