"""Events are valid for their published schemas, and for every schema published before."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator, Draft202012Validator  # type: ignore[import-untyped]  # its stubs are a package of their own

from contracts.documents import FOLDER, generated_files
from contracts.event_schemas import COMMANDS, to_draft_4
from core.errors import InvalidRequest
from core.events import SOURCE, DetailType, event_detail
from core.paths import AllowedPrefixes
from core.requests import new_run
from core.runs import LabeledSet, Run, RunError, Status
from core.views import rfc3339
from handlers.commands import read_command
from tests.contract.sample_runs import NOW
from tests.fakes.service import import_command, labeling_command

SCHEMAS = FOLDER / "schemas"
OLDER = Path(__file__).parent / "older_consumers"  # schemas as published: files are only added, never changed
SET, IMPORT = (
    new_run(labeling_command(), NOW),
    new_run(import_command(replaces=True, export_to="s3://bucket/x/"), NOW),
)
ENDINGS = {
    DetailType.STARTED: Status.STARTING,
    DetailType.SUCCEEDED: Status.SUCCEEDED,
    DetailType.FAILED: Status.FAILED,
    DetailType.STOPPED: Status.STOPPED,
    DetailType.TIMED_OUT: Status.TIMEOUT,
    DetailType.REFUSED: Status.REFUSED,
    DetailType.START_FAILED: Status.START_FAILED,
    DetailType.CANCELLED: Status.CANCELLED,
    DetailType.LOST: Status.LOST,
    DetailType.LABELS_SUBMITTED: Status.RESERVED,
}
LABELED = LabeledSet("0" * 32, "ann", 93, 7, 61, 352)
RUNS = [
    SET,
    IMPORT,
    replace(SET, transform_id=None, path=None),
    replace(SET, task_run_id="tsk-1", started_on=NOW, completed_on=NOW, execution_time=7),
    replace(IMPORT, error=RunError("GLUE_FAILED", "out of memory"), warning="120 labels will be forgotten"),
]


def as_delivered(run: Run, kind: DetailType) -> dict[str, Any]:
    """The event as EventBridge delivers it."""
    ended = replace(run, status=ENDINGS[kind], labeled=LABELED)
    return {
        "version": "0",
        "id": "17793124-05d4-b198-2fde-7ededc63b103",
        "detail-type": str(kind),
        "source": SOURCE,
        "account": "123456789012",
        "time": rfc3339(NOW),
        "region": "us-east-1",
        "resources": [],
        "detail": json.loads(event_detail(ended, kind).model_dump_json(by_alias=True)),
    }


@pytest.mark.parametrize("kind", DetailType)
@pytest.mark.parametrize("run", RUNS)
def test_every_event_is_valid_in_both_schema_dialects(run: Run, kind: DetailType) -> None:
    schema = json.loads((SCHEMAS / f"{kind}.json").read_text())
    event = as_delivered(run, kind)
    Draft202012Validator(schema).validate(event)
    Draft4Validator(to_draft_4(schema)).validate(event)


@pytest.mark.parametrize("kind", DetailType)
@pytest.mark.parametrize("run", RUNS)
def test_current_events_are_valid_for_older_published_schemas(run: Run, kind: DetailType) -> None:
    versions = sorted(OLDER.iterdir())
    assert versions
    for version in versions:
        schema = json.loads((version / f"{kind}.json").read_text())
        Draft202012Validator(schema).validate(as_delivered(run, kind))


def test_older_schemas_reject_an_event_without_a_required_member() -> None:
    event = as_delivered(SET, DetailType.STARTED)
    del event["detail"]["data"]["taskRunId"]
    for version in OLDER.iterdir():
        schema = json.loads((version / "TaskRunStarted.json").read_text())
        assert not Draft202012Validator(schema).is_valid(event)


@pytest.mark.parametrize("kind", COMMANDS)
@pytest.mark.parametrize(
    ("change", "fits"),
    [({}, True), ({"idempotencyKey": "key-1"}, True), ({"idempotencyKey": "with space"}, False), ({"transformId": 7}, False)],
)
def test_command_schema_accepts_what_the_code_accepts(kind: str, change: dict[str, Any], fits: bool) -> None:  # noqa: FBT001  a column
    paths = {
        "StartLabelingSetRun": {"outputS3Path": "s3://bucket/x/"},
        "StartLabelImportRun": {"inputS3Path": "s3://bucket/x.csv"},
        "StartEvaluationRun": {},
        "StartLabelExportRun": {"outputS3Path": "s3://bucket/x/"},
    }
    command = {"id": "1", "detail-type": kind, "source": "tests", "detail": {"transformId": "tfm-1"} | paths[kind] | change}
    schema = json.loads((SCHEMAS / f"{kind}.json").read_text())
    assert Draft202012Validator(schema).is_valid(command) == Draft4Validator(to_draft_4(schema)).is_valid(command) == fits
    try:
        accepted = read_command(command, AllowedPrefixes.of([])) is not None
    except InvalidRequest:
        accepted = False
    assert accepted == fits


def test_generated_files_are_up_to_date() -> None:
    drifted = [path.name for path, text in generated_files().items() if not path.exists() or path.read_text() != text]
    assert drifted == [], "run make contracts"
    assert {path.stem for path in SCHEMAS.iterdir()} == {*map(str, DetailType), *COMMANDS}


def test_asyncapi_lists_every_event_and_command_and_all_references_resolve() -> None:
    document = json.loads((FOLDER / "asyncapi.json").read_text())
    assert document["asyncapi"].startswith("3.")
    assert set(document["components"]["messages"]) == {*map(str, DetailType), *COMMANDS}
    assert {operation["action"] for operation in document["operations"].values()} == {"send", "receive"}
    for reference in set(re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document))):
        part = document
        for name in reference.split("/"):
            part = part[name]


def test_registry_template_holds_every_schema() -> None:
    resources = json.loads((FOLDER / "schemas.template.json").read_text())["Resources"]
    schemas = {
        name: resource["Properties"] for name, resource in resources.items() if resource["Type"] == "AWS::EventSchemas::Schema"
    }
    assert set(schemas) == {*map(str, DetailType), *COMMANDS}
    for schema in schemas.values():
        Draft4Validator.check_schema(json.loads(schema["Content"]))
