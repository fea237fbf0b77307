"""Who uses the service, and how: REST callers that retry, event sources, people who upload label files, readers, operators."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import core.requests
import core.runs
from core.cancel import cancel
from core.errors import (
    AlreadyEnded,
    IdempotencyKeyReused,
    InvalidRequest,
    LedgerUnavailable,
    LoopError,
    QueueFull,
    RequestInFlight,
    RunNotFound,
    TryAgainLater,
)
from core.ports import Dependencies, RunFilter
from core.queries import get_run, list_runs
from core.requests import StartCommand
from core.runs import Run
from core.start import start
from handlers import bus
from tests.simulation.environment import OPERATOR, TRANSFORMS, Environment
from tests.simulation.objects import GOOD, etag
from tests.simulation.processes import current_process
from tests.simulation.promises import NEVER_STARTED
from tests.simulation.starts import Violation

ALICE, BOB = "arn:aws:iam::123456789012:user/alice", "arn:aws:iam::123456789012:user/bob"
READERS = (ALICE, BOB, OPERATOR)
BUCKET = "bucket"
# What may be requested, as the body of a REST request; a request of an older version of the service may lack some.
_REQUESTS: dict[str, tuple[str, str]] = {
    "labeling set": ("LabelingSetRequest", "StartLabelingSetRun"),
    "import": ("LabelImportRequest", "StartLabelImportRun"),
    "replace": ("LabelImportRequest", "StartLabelImportRun"),
    "export, then replace": ("LabelImportRequest", "StartLabelImportRun"),
    "evaluation": ("EvaluationRequest", "StartEvaluationRun"),
    "label export": ("LabelExportRequest", "StartLabelExportRun"),
}
KINDS = tuple(kind for kind, (model, _) in _REQUESTS.items() if hasattr(core.requests, model))
_MAX_PAGES = 4
# As `sam local start-api` has it, the id of a request says nothing. An older service had to be told apart by it.
_CAUSATION_ID = "the id of every request" if "may_be_redelivered" in StartCommand.__annotations__ else ""
# Requests of an older service had no such field.
_NEVER_REDELIVERED: Any = {"may_be_redelivered": False} if "may_be_redelivered" in StartCommand.__annotations__ else {}
# What `start` may raise by its docstring. Anything else would be answered with status code 500.
_ANSWERS = (IdempotencyKeyReused, QueueFull, TryAgainLater)


@dataclass
class Request:
    """One idempotency key of one caller, sent any number of times. `event` is what a bus delivers; REST requests have none."""

    name: str
    caller: str
    key: str
    kind: str
    payload: dict[str, Any]
    event: dict[str, Any] | None = None
    times_sent: int = 0
    is_handled: bool = False  # of an event: whether the service has taken it


def payload(kind: str, number: int, transform_id: str, file_number: int) -> dict[str, Any]:
    """The body of a request. The files of a transform are few, so that imports share them."""
    path = label_file(transform_id, file_number)
    match kind:
        case "labeling set":
            return {"transformId": transform_id, "outputS3Path": f"s3://{BUCKET}/sets/{number}/"}
        case "import":
            return {"transformId": transform_id, "inputS3Path": path}
        case "replace":
            return {"transformId": transform_id, "inputS3Path": path, "replaceAllLabels": True}
        case "export, then replace":
            export_to = f"s3://{BUCKET}/backups/{number}/"
            return {"transformId": transform_id, "inputS3Path": path, "replaceAllLabels": True, "exportTo": export_to}
        case "label export":
            return {"transformId": transform_id, "outputS3Path": f"s3://{BUCKET}/exports/{number}/"}
        case _:
            return {"transformId": transform_id}


def label_file(transform_id: str, number: int) -> str:
    return f"s3://{BUCKET}/labels/{transform_id}/{number}.csv"


def command_event(request: Request, environment: Environment) -> dict[str, Any]:
    detail = request.payload | {"idempotencyKey": request.key}
    return _event(request.name, _REQUESTS[request.kind][1], "app", detail, environment)


def upload_event(name: str, path: str, environment: Environment) -> dict[str, Any]:
    content = environment.s3.content(path)
    tag = etag(content if isinstance(content, bytes) else GOOD).strip('"')
    environment.promises.uploads[name] = f'"{tag}"'
    sequencer = f"{environment.clock.now.timestamp():020.6f}"
    s3_object = {"key": path.removeprefix(f"s3://{BUCKET}/"), "size": 1, "etag": tag, "sequencer": sequencer}
    return _event(name, "Object Created", "aws.s3", {"bucket": {"name": BUCKET}, "object": s3_object}, environment)


def _event(name: str, detail_type: str, source: str, detail: Mapping[str, Any], environment: Environment) -> dict[str, Any]:
    return {
        "id": name,
        "detail-type": detail_type,
        "source": source,
        "account": "123456789012",
        "time": environment.clock.now.isoformat().replace("+00:00", "Z"),
        "detail": dict(detail),
    }


def send_by_rest(request: Request, deps: Dependencies, environment: Environment) -> None:
    """What the API's handler does with a start; HTTP itself is left out."""
    model = getattr(core.requests, _REQUESTS[request.kind][0])
    command = StartCommand(
        caller=request.caller,
        key=request.key,
        request=model.model_validate(request.payload),
        correlation_id=request.name,
        causation_id=_CAUSATION_ID or f"{request.name}-{request.times_sent}",
        **_NEVER_REDELIVERED,
    )
    promises = environment.promises
    run_id = core.runs.run_id(command.caller, command.key)
    is_known = promises.is_known(run_id)
    was_in_flight = promises.is_in_flight(run_id)
    try:
        accepted = start(command, deps)
    except RequestInFlight as error:
        if not was_in_flight and not promises.is_in_flight(run_id):
            raise Violation("a request was told to be in flight, and is not") from error
        return
    except InvalidRequest as error:
        if is_known and promises.is_known(run_id):
            raise Violation(f"a replay was judged by the settings of today: {error}") from error
        return
    except _ANSWERS as error:
        if current_process().has_started:
            raise Violation(f"the answer says that nothing was started, but Glue runs it: {error}") from error
        return
    run = accepted.run
    promises.accepted.add(run.id)
    promises.on_answer(run)
    if accepted.replayed and run.status in NEVER_STARTED:
        raise Violation(f"the same key may be sent again after {run.status}, and started nothing")
    _require_same_payload(run, request)


def _require_same_payload(run: Run, request: Request) -> None:
    """Nobody gets an answer about another request than the one that was sent."""
    body = request.payload
    path = body.get("inputS3Path") or body.get("outputS3Path")
    fits = (run.path or "").startswith(path or "") and run.requested_by == request.caller
    if (
        run.transform_id != body["transformId"]
        or not fits
        or bool(run.replace_all_labels) != bool(body.get("replaceAllLabels"))
    ):
        raise Violation(f"{request.name} was answered with another request's run")


def deliver_by_bus(request: Request, deps: Dependencies, environment: Environment) -> None:
    """The bus's handler; an exception means that the event is delivered again."""
    context: Any = None
    event = request.event or {}
    key = core.runs.run_id(request.caller, request.key)
    refused = core.runs.run_id(request.caller, f"refused {event['id']}")
    before = environment.table.items.get(key)
    with suppress(LoopError):
        bus.handler(event, context, deps)
        request.is_handled = True
        after = environment.table.items.get(key)
        if before is None or before is not after or refused in environment.table.items:
            return
        if before["status"]["S"] in NEVER_STARTED and before["causationId"]["S"] != event["id"]:
            raise Violation("a new message with the key of a request that never started has started nothing")


def new_message(request: Request, environment: Environment) -> None:
    """The application sends its command again, as a new message with the same key."""
    request.event = command_event(request, environment) | {"id": f"{request.name}-{request.times_sent}"}
    request.is_handled = False


def read(caller: str, run_id: str | None, deps: Dependencies, *, by_transform: bool) -> None:
    """Look at the runs of a listing, page by page, and at one run by its id."""
    cursor = None
    with suppress(LedgerUnavailable):
        for _ in range(_MAX_PAGES):
            page = list_runs(RunFilter(transform_id=TRANSFORMS[0] if by_transform else None), caller, 2, cursor, deps)
            _require_own(caller, *page.items)
            cursor = page.next
            if cursor is None:
                break
    if run_id is not None:
        with suppress(RunNotFound, LedgerUnavailable):
            _require_own(caller, get_run(run_id, caller, deps))


def cancel_as(caller: str, run_id: str, deps: Dependencies, environment: Environment) -> None:
    """Cancel a run that the caller may see."""
    with suppress(RunNotFound, LedgerUnavailable, AlreadyEnded, TryAgainLater):
        _require_own(caller, get_run(run_id, caller, deps))
        environment.promises.cancelled.add(run_id)
        cancel(run_id, deps)


def _require_own(caller: str, *runs: Run) -> None:
    """Nobody sees or touches another's run."""
    foreign = [run.id[:6] for run in runs if caller not in (run.requested_by, OPERATOR)]
    if foreign:
        raise Violation(f"{caller} sees the runs {foreign} of others")
