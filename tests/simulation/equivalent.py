"""Mutants of which no caller could notice anything, and why."""

_MAY_BE_UNAVAILABLE = "the port may raise LedgerUnavailable at any time; only the retry within the call is lost"
_RELEASE_IGNORES_IT = "its one caller logs a Conflict and goes on, as if there had been none"

EQUIVALENT: dict[str, str] = {
    "core.start._replay: drop `existing.lease_until` of `existing.lease_until and now <= existing.lease_until`": (
        "a reserved run always has a lease"
    ),
    "core.start_in_glue._send: drop `run.requested_on` of `run.start_attempted_on or run.requested_on`": (
        "a reserved run always has the time of its attempt"
    ),
    "core.start._reason_to_queue: drop `''` of `run.transform_id or ''`": "a request that can be queued names a transform",
    "core.aws.ledger.delete: let `Conflict` pass": _RELEASE_IGNORES_IT,
    "core.aws.ledger.delete: negate `conflict.current is not None`": _RELEASE_IGNORES_IT,
    "core.aws.ledger._update_once: let `self._client.exceptions.TransactionConflictException` pass": _MAY_BE_UNAVAILABLE,
    "core.aws.ledger._write_once: let `self._client.exceptions.TransactionConflictException` pass": _MAY_BE_UNAVAILABLE,
}
