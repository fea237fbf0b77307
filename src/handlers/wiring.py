"""The composition root: reads the settings from the environment and builds the clients and dependencies."""

import logging
import os
import random
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Annotated

import botocore
from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from botocore.config import Config
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter

from core.aws.files import S3LabelFiles
from core.aws.glue import GlueTaskRuns
from core.aws.ledger import DynamoLedger
from core.caller_transforms import CallerTransforms
from core.open_runs import SHARDS
from core.paths import AllowedPrefixes, CallerPrefixes
from core.ports import Dependencies, Policy
from handlers import cold_start
from handlers.aws_clients import LazyClient, Session
from handlers.callers import configured_caller

if TYPE_CHECKING:
    import boto3.session

    from core.announce import Bus
    from core.aws.dead_letters import DeadLetterQueue
    from core.aws.own_function import OwnFunction
    from core.labeling.ports import LabelingDependencies

# Limits of one AWS call. All calls of a start together stay below Policy.start_within and the functions' timeouts.
# The user agent is fixed: botocore builds its own from about thirty parts twice a call, a quarter of a call's work.
_AGENT = f"glue-label-loop Botocore/{botocore.__version__}"
_NO_RETRIES = Config(connect_timeout=3, read_timeout=15, user_agent=_AGENT, retries={"total_max_attempts": 1})
_WITH_RETRIES = Config(
    connect_timeout=2, read_timeout=5, user_agent=_AGENT, retries={"mode": "standard", "total_max_attempts": 3}
)
# core makes the ledger's items, and DynamoDB checks them, so botocore need not. Its check of parameters stays on for Glue:
# core.aws.glue treats what it finds as a refusal.
_LEDGER = _WITH_RETRIES.merge(Config(parameter_validation=False))


def _caller_prefixes(text: str) -> CallerPrefixes:
    """Read `{"caller": ["s3://bucket/prefix/"]}`. Raises ValueError."""
    prefixes_by_name = TypeAdapter(dict[str, list[str]]).validate_json(text)
    return CallerPrefixes({configured_caller(name): AllowedPrefixes.of(each) for name, each in prefixes_by_name.items()})


def _caller_transforms(text: str) -> CallerTransforms:
    """Read `{"caller": ["tfm-1", "tfm-team-*"]}`. Raises ValueError."""
    patterns_by_name = TypeAdapter(dict[str, list[str]]).validate_json(text)
    return CallerTransforms({configured_caller(name): tuple(each) for name, each in patterns_by_name.items()})


def _operators(text: str) -> frozenset[str]:
    """Read a comma-separated list of ARNs."""
    return frozenset(configured_caller(name.strip()) for name in text.split(",") if name.strip())


class LoopSettings(BaseModel):
    """The settings of the functions that start and track runs."""

    model_config = ConfigDict(defer_build=True)

    ledger_table: Annotated[str, Field(alias="LEDGER_TABLE", min_length=3)]
    allowed: Annotated[AllowedPrefixes, Field(alias="ALLOWED_S3_PREFIXES"), BeforeValidator(AllowedPrefixes.parse)]
    narrowed: Annotated[CallerPrefixes, Field(alias="CALLER_S3_PREFIXES"), BeforeValidator(_caller_prefixes)] = CallerPrefixes()
    caller_transforms: Annotated[CallerTransforms, Field(alias="CALLER_TRANSFORMS"), BeforeValidator(_caller_transforms)] = (
        CallerTransforms()
    )
    confirm_after_seconds: Annotated[float, Field(alias="CONFIRM_AFTER_SECONDS", ge=0)] = 120
    start_deadline_seconds: Annotated[float, Field(alias="START_DEADLINE_SECONDS", gt=0)] = 86_400
    max_queued: Annotated[int, Field(alias="MAX_QUEUED_PER_TRANSFORM", ge=0)] = 100
    share_runs: Annotated[bool, Field(alias="SHARE_RUNS")] = False
    operators: Annotated[frozenset[str], Field(alias="OPERATORS"), BeforeValidator(_operators)] = frozenset()
    retention_days: Annotated[float, Field(alias="RETENTION_DAYS", gt=0)] = 90

    @property
    def policy(self) -> Policy:
        return Policy(
            allowed_prefixes=self.allowed,
            caller_prefixes=self.narrowed,
            caller_transforms=self.caller_transforms,
            confirm_after=timedelta(seconds=self.confirm_after_seconds),
            start_deadline=timedelta(seconds=self.start_deadline_seconds),
            retention=timedelta(days=self.retention_days),
            max_queued=self.max_queued,
            share_runs=self.share_runs,
            operators=self.operators,
        )


class ScheduleSettings(BaseModel):
    """The settings of the function that reconciles alone."""

    model_config = ConfigDict(defer_build=True)

    parts: Annotated[int, Field(alias="RECONCILE_PARTS", ge=1, le=len(SHARDS))] = 1


class BusSettings(BaseModel):
    """The settings of the function that announces events."""

    model_config = ConfigDict(defer_build=True)

    event_bus_name: Annotated[str, Field(alias="EVENT_BUS_NAME", min_length=1)]
    unpublished_changes_url: Annotated[str, Field(alias="UNPUBLISHED_CHANGES_URL")] = ""


class LabelingSettings(BaseModel):
    """The settings of labeling, which the API and the label function share."""

    model_config = ConfigDict(defer_build=True)

    ledger_table: Annotated[str, Field(alias="LEDGER_TABLE", min_length=3)]
    label_url: Annotated[str, Field(alias="LABEL_URL")] = ""
    max_link_seconds: Annotated[int, Field(alias="LINK_MAX_SECONDS", ge=300, le=604_800)] = 604_800


def build_dependencies(environment: Mapping[str, str], session: "Session | boto3.session.Session") -> Dependencies:
    """Build the dependencies. Raises pydantic.ValidationError, which names each variable that is missing or wrong."""
    settings = LoopSettings.model_validate(environment)
    return Dependencies(
        ledger=DynamoLedger(
            client=session.client("dynamodb", config=_LEDGER),
            table=settings.ledger_table,
            retention=timedelta(days=settings.retention_days),
            new_revision=lambda: os.urandom(16).hex(),
        ),
        glue=GlueTaskRuns(
            starter=session.client("glue", config=_NO_RETRIES),
            client=LazyClient(lambda: session.client("glue", config=_WITH_RETRIES)),  # type: ignore[arg-type]  # the client itself
        ),
        files=S3LabelFiles(LazyClient(lambda: session.client("s3", config=_WITH_RETRIES))),  # type: ignore[arg-type]  # the client itself
        clock=lambda: datetime.now(UTC),
        policy=settings.policy,
    )


@cache
def dependencies() -> Dependencies:
    """The dependencies of this process, built at its first request."""
    _log_as_json()
    built = build_dependencies(os.environ, _session())
    cold_start.finish()
    return built


@cache
def labeling() -> "LabelingDependencies":
    """What labeling works with, built when the first request of this process is about a labeling set."""
    from core.aws.documents import DynamoDocuments  # noqa: PLC0415  most requests of the API are not about labeling
    from core.aws.labeling_objects import S3LabelingObjects  # noqa: PLC0415  see above
    from core.labeling.ports import LabelingDependencies  # noqa: PLC0415  see above

    settings = LabelingSettings.model_validate(os.environ)
    session = _session()
    dynamodb = session.client("dynamodb", config=_LEDGER)
    return LabelingDependencies(
        runs=dependencies(),
        documents=DynamoDocuments(dynamodb, settings.ledger_table, lambda: os.urandom(16).hex()),
        objects=S3LabelingObjects(session.client("s3", config=_WITH_RETRIES)),
        random_text=lambda characters: secrets.token_urlsafe(characters)[:characters],
        label_url=settings.label_url.rstrip("/"),
        max_link_age=timedelta(seconds=settings.max_link_seconds),
    )


def renew() -> None:
    """Renew what processes that are restored from one snapshot must not share, or may find outdated."""
    _session().renew()
    random.seed()  # of the jitter between retries; ids come from the operating system


@cache
def _session() -> Session:
    return Session()


def bus(context: LambdaContext) -> "Bus":
    """The event bus of this process. Its events name transforms by ARNs in the function's own account and region."""
    _, partition, _, region, account, *_ = context.invoked_function_arn.split(":")
    return _bus(f"arn:{partition}:glue:{region}:{account}")


@cache
def _bus(glue_arn: str) -> "Bus":
    from core.aws.bus import EventBus  # noqa: PLC0415  imports the events' models, which only the announcing function needs

    _log_as_json()
    name = BusSettings.model_validate(os.environ).event_bus_name
    built = EventBus(_session().client("events", config=_WITH_RETRIES), name, glue_arn)
    cold_start.finish()
    return built


def reconcile_parts() -> int:
    """How many invocations share a round."""
    return ScheduleSettings.model_validate(os.environ).parts


def own_function(context: LambdaContext) -> "OwnFunction":
    """The function that is running."""
    return _own_function(context.invoked_function_arn)


@cache
def _own_function(arn: str) -> "OwnFunction":
    from core.aws.own_function import OwnFunction  # noqa: PLC0415  only for a reconciler with several parts

    return OwnFunction(_session().client("lambda", config=_WITH_RETRIES), arn)


@cache
def dead_letters() -> "DeadLetterQueue | None":
    """Where the function that announces leaves changes that can never be announced; None without a queue."""
    from core.aws.dead_letters import DeadLetterQueue  # noqa: PLC0415  rarely needed

    url = BusSettings.model_validate(os.environ).unpublished_changes_url
    return DeadLetterQueue(_session().client("sqs", config=_WITH_RETRIES), url) if url else None


@cache
def logger() -> Logger:
    return Logger(service=os.environ.get("POWERTOOLS_SERVICE_NAME", "glue-label-loop"))


@cache
def _log_as_json() -> None:
    """Send core's log records to Powertools' handler, which formats them as JSON."""
    core = logging.getLogger("core")
    core.handlers = logger().handlers[:1]
    core.setLevel(logger().log_level)
    core.propagate = False
