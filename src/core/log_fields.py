"""What a logged decision says of its run: enough to follow it from the request to its event, and nothing that a caller sent."""

from core.runs import Run


def log_fields(run: Run, **more: str | None) -> dict[str, str | None]:
    """The fields of the log line; its message is a stable code."""
    return {
        "id": run.id,
        "transformId": run.transform_id,
        "status": run.status.value,
        "attempt": str(run.attempt),
        "correlationId": run.correlation_id,
    } | more
