"""The fields that every log line about a run has: enough to follow it from request to event, and nothing that a caller sent."""

from core.runs import Run


def log_fields(run: Run, **more: str | None) -> dict[str, str | None]:
    """Fields for a log line whose message is a stable code; `more` are added to them."""
    return {
        "id": run.id,
        "transformId": run.transform_id,
        "status": run.status.value,
        "attempt": str(run.attempt),
        "correlationId": run.correlation_id,
    } | more
