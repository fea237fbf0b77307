"""The requests that callers send, and the runs that they become."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

from core.errors import CommandTooOld, FieldError, InvalidRequest
from core.paths import (
    FOLDER_PATTERN,
    MAX_FOLDER_LENGTH,
    MAX_LENGTH,
    OBJECT_PATTERN,
    AllowedPrefixes,
    check_input_object,
    check_output_folder,
    own_folder,
)
from core.ports import Policy
from core.runs import TRANSFORM_ID_PATTERN, LabeledSet, Run, Status, TaskType, run_id

TRANSFORM_ID = f"^{TRANSFORM_ID_PATTERN}$"
TransformId = Annotated[
    str,
    StringConstraints(pattern=TRANSFORM_ID),
    Field(description="The FindMatches transform, as Glue names it.", examples=["tfm-0123456789abcdef"]),
]
# The patterns are published, not enforced here: core.paths checks paths, and says more about what is wrong.
S3Folder = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_LENGTH),
    Field(json_schema_extra={"pattern": FOLDER_PATTERN, "maxLength": MAX_FOLDER_LENGTH}),
]
S3Object = Annotated[
    str, StringConstraints(min_length=1, max_length=MAX_LENGTH), Field(json_schema_extra={"pattern": OBJECT_PATTERN})
]


class _Request(BaseModel):
    """Validated from camelCase names alone: a second spelling would be an undocumented interface."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True, strict=True, defer_build=True)


class LabelingSetRequest(_Request):
    """Generate a labeling set: a CSV file of about 100 rows in about 10 sets, for people to label."""

    transform_id: TransformId
    output_s3_path: Annotated[
        S3Folder,
        Field(
            description="The folder under which the run gets a prefix of its own.",
            examples=["s3://my-bucket/labeling-sets/"],
        ),
    ]


class LabelImportRequest(_Request):
    """Import a labeled file: one S3 object."""

    transform_id: TransformId
    input_s3_path: Annotated[
        S3Object, Field(description="The labeled file.", examples=["s3://my-bucket/labels/tfm-0123456789abcdef/one.csv"])
    ]
    replace_all_labels: Annotated[
        bool, Field(description="Replace all labels of the transform; otherwise the labels of the file are added to them.")
    ] = False
    export_to: Annotated[
        S3Folder | None,
        Field(
            description="With replaceAllLabels: export the existing labels to this folder first, and import only then.",
            examples=["s3://my-bucket/label-backups/"],
        ),
    ] = None


class EvaluationRequest(_Request):
    """Estimate the quality of the transform: Glue learns from some of its labels, and tests the matches of the others."""

    transform_id: TransformId


class LabelExportRequest(_Request):
    """Export all labels of the transform to a CSV file."""

    transform_id: TransformId
    output_s3_path: Annotated[
        S3Folder,
        Field(
            description="The folder under which the run gets a prefix of its own.",
            examples=["s3://my-bucket/label-exports/"],
        ),
    ]


StartRequest = LabelingSetRequest | LabelImportRequest | EvaluationRequest | LabelExportRequest


class StartCommand(NamedTuple):
    """A request with its sender, its idempotency key and the message that carried it.

    A command with the same key and `causation_id` is the same message delivered again. With another `causation_id`, the caller
    sent the request again. A REST request is never redelivered, and its id says nothing: `sam local start-api` gives each the
    same one. `sent_on` is set for messages that may arrive much later, from an archive for instance.
    `session` is recorded, and never part of the identity. So is `labeled`, of labels that come from the labeling page.
    `file_version` is the version of the label file that an upload's event names.
    """

    caller: str
    key: str
    request: StartRequest
    correlation_id: str
    causation_id: str
    may_be_redelivered: bool = True
    sent_on: datetime | None = None
    session: str | None = None
    file_version: str | None = None
    labeled: LabeledSet | None = None


def new_run(command: StartCommand, now: datetime) -> Run:
    """The run that `command` requests, neither checked nor in the ledger yet."""
    run = Run(
        id=run_id(command.caller, command.key),
        requested_by=command.caller,
        requested_on=now,
        task_type=TaskType.EVALUATION,
        status=Status.RESERVED,
        transform_id=command.request.transform_id,
        path=None,
        correlation_id=command.correlation_id,
        causation_id=command.causation_id,
        requested_by_session=command.session,
        uploaded_version=command.file_version,
        labeled=command.labeled,
    )
    return _with_arguments(run, command.request)


def _with_arguments(run: Run, request: StartRequest) -> Run:
    """`run` with its type, and with what Glue is given."""
    match request:
        case EvaluationRequest():
            return run
        case LabelingSetRequest():
            path = own_folder(request.output_s3_path, run.id)
            return replace(run, task_type=TaskType.LABELING_SET_GENERATION, path=path)
        case LabelExportRequest():
            return replace(run, task_type=TaskType.EXPORT_LABELS, path=own_folder(request.output_s3_path, run.id))
        case LabelImportRequest():
            return replace(
                run,
                task_type=TaskType.IMPORT_LABELS,
                path=request.input_s3_path,
                replace_all_labels=request.replace_all_labels,
                export_to=None if request.export_to is None else own_folder(request.export_to, run.id),
            )


def check_command(command: StartCommand, now: datetime, policy: Policy) -> None:
    """Check `command` by today's settings. Raises InvalidRequest, CommandTooOld."""
    request = command.request
    if command.sent_on is not None and now - command.sent_on > policy.retention:
        raise CommandTooOld(command.sent_on, policy.retention)
    policy.caller_transforms.check(request.transform_id, command.caller)
    allowed = policy.allowed_for(command.caller)
    if isinstance(request, LabelingSetRequest | LabelExportRequest):
        check_output_folder(request.output_s3_path, allowed)
    if isinstance(request, LabelImportRequest):
        _check_import(request, allowed)


def _check_import(request: LabelImportRequest, allowed: AllowedPrefixes) -> None:
    check_input_object(request.input_s3_path, allowed)
    if request.export_to is None:
        return
    if not request.replace_all_labels:
        raise InvalidRequest(FieldError("#/exportTo", "may only be sent with replaceAllLabels: nothing is replaced without it"))
    check_output_folder(request.export_to, allowed, "#/exportTo")
