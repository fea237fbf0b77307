"""The emulator's own HTTP API: /_glue/faults sets faults, /_glue/match-runs matches a table, /_glue/health."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from local.glue.errors import GlueError
from local.glue.faults import CallFault, FaultKind, FaultPlan
from local.glue.protocol import HttpResponse, error_response
from local.glue.service import GlueService

ADMIN_PREFIX = "/_glue/"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CallFaultBody(_Strict):
    operation: str = "*"
    kind: FaultKind
    times: int = Field(default=1, ge=1)
    seconds: float = Field(default=0.0, ge=0)


class FaultsBody(_Strict):
    calls: tuple[CallFaultBody, ...] = ()
    listing_delay_seconds: float = Field(default=0.0, ge=0, alias="listingDelaySeconds")
    slot_release_seconds: float = Field(default=0.0, ge=0, alias="slotReleaseSeconds")
    hold_runs: bool = Field(default=False, alias="holdRuns")

    def plan(self) -> FaultPlan:
        calls = tuple(CallFault(call.operation, call.kind, call.times, call.seconds) for call in self.calls)
        return FaultPlan(calls, self.listing_delay_seconds, self.slot_release_seconds, self.hold_runs)


class MatchRunBody(_Strict):
    transform_id: str = Field(alias="TransformId")
    output_path: str = Field(alias="OutputS3Path")
    output_format: str = Field(default="csv", alias="Format")
    known_path: str = Field(default="", alias="KnownMatchesS3Path")
    confidence_scores: bool = Field(default=True, alias="ComputeMatchConfidenceScores")


def answer_admin(service: GlueService, method: str, path: str, body: bytes) -> HttpResponse:
    """Handle PUT, GET, DELETE /_glue/faults, POST /_glue/match-runs and GET /_glue/health. JSON in and out."""
    handler = _HANDLERS.get((method, path.removeprefix(ADMIN_PREFIX)))
    if handler is None:
        return _json(404, {"message": f"There is no {method} {path}."})
    try:
        return handler(service, body)
    except ValidationError as error:
        return _json(400, {"message": str(error)})
    except GlueError as error:
        return error_response(error)


def _health(_service: GlueService, _body: bytes) -> HttpResponse:
    return _json(200, {"status": "up"})


def _put_faults(service: GlueService, body: bytes) -> HttpResponse:
    service.faults.apply(FaultsBody.model_validate_json(body).plan())
    return _get_faults(service, body)


def _get_faults(service: GlueService, _body: bytes) -> HttpResponse:
    return _json(200, _plan_document(service.faults.plan))


def _delete_faults(service: GlueService, body: bytes) -> HttpResponse:
    service.faults.clear()
    return _get_faults(service, body)


def _start_match_run(service: GlueService, body: bytes) -> HttpResponse:
    request = MatchRunBody.model_validate_json(body).model_dump(by_alias=True)
    return _json(202, {"TaskRunId": service.start_find_matches(request)})


def _plan_document(plan: FaultPlan) -> dict[str, Any]:
    return {
        "calls": [asdict(call) for call in plan.calls],
        "listingDelaySeconds": plan.listing_delay_seconds,
        "slotReleaseSeconds": plan.slot_release_seconds,
        "holdRuns": plan.hold_runs,
    }


def _json(status: int, document: dict[str, Any]) -> HttpResponse:
    body = json.dumps(document).encode()
    return HttpResponse(status, (("content-type", "application/json"), ("content-length", str(len(body)))), body)


_HANDLERS: Mapping[tuple[str, str], Callable[[GlueService, bytes], HttpResponse]] = {
    ("GET", "health"): _health,
    ("PUT", "faults"): _put_faults,
    ("GET", "faults"): _get_faults,
    ("DELETE", "faults"): _delete_faults,
    ("POST", "match-runs"): _start_match_run,
}
