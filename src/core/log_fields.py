"""The fields that every log line about a run has: enough to follow it from request to event, and nothing that a caller sent."""

import re
import traceback
from pathlib import PurePath

from core.runs import Run


def log_fields(run: Run, **more: str | None) -> dict[str, str | None]:
    """Fields for a log line whose message is a stable code; `more` are added to them, without paths."""
    return {
        "id": run.id,
        "transformId": run.transform_id,
        "status": run.status.value,
        "attempt": str(run.attempt),
        "correlationId": run.correlation_id,
    } | {name: None if text is None else _without_paths(text, run) for name, text in more.items()}


def fault_fields(fault: BaseException) -> dict[str, str | list[str]]:
    """Fields for a log line about a defect: the types of the error and of its causes, and the places in the code.

    Its message is left out, since it might quote a path, a key or a cell.
    """
    causes = []
    current: BaseException | None = fault
    while current is not None:
        causes.append(current)
        current = current.__cause__ or current.__context__
    frames = [frame for cause in reversed(causes) for frame in traceback.extract_tb(cause.__traceback__)]
    return {
        "cause": " from ".join(type(cause).__name__ for cause in causes),
        "frames": [f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames],
    }


def _without_paths(text: str, run: Run) -> str:
    """AWS's messages may repeat a path, and a path may tell what people keep there."""
    for path in filter(None, (run.path, run.export_to)):
        text = text.replace(path, "s3://...")
    return re.sub(r"s3[an]?://(?!\.\.\.)[^\s'\"]+", "s3://...", text)
