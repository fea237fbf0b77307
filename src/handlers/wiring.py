"""Environment -> settings -> clients -> collaborators: the only composition root."""

import logging
import os
import random
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
from core.paths import AllowedPrefixes, CallerPrefixes
from core.ports import Dependencies, Policy
from handlers import cold_start
from handlers.aws_clients import OnDemand, Session
from handlers.callers import configured_caller

if TYPE_CHECKING:
    import boto3.session

    from core.announce import Bus

# Bounds of one AWS call. What can be added up of them stays below Policy.start_within and the functions' time-outs.
# The user agent is given: botocore would put its own together twice a call, of some thirty parts, a quarter of a call's work.
_AGENT = f"glue-label-loop Botocore/{botocore.__version__}"
_ONCE = Config(connect_timeout=3, read_timeout=15, user_agent=_AGENT, retries={"total_max_attempts": 1})
_AGAIN = Config(connect_timeout=2, read_timeout=5, user_agent=_AGENT, retries={"mode": "standard", "total_max_attempts": 3})
# The ledger's items are made by core, not by callers, and DynamoDB checks them, too. Glue's clients keep botocore's check of
# parameters: core.aws.glue takes it for a refusal.
_LEDGER = _AGAIN.merge(Config(parameter_validation=False))


def _caller_prefixes(text: str) -> CallerPrefixes:
    """Read `{"caller": ["s3://bucket/prefix/"]}`. Raises ValueError."""
    said = TypeAdapter(dict[str, list[str]]).validate_json(text)
    return CallerPrefixes({configured_caller(name): AllowedPrefixes.of(own) for name, own in said.items()})


class LoopSettings(BaseModel):
    """What the functions that start and follow runs read from their environment."""

    model_config = ConfigDict(defer_build=True)

    ledger_table: Annotated[str, Field(alias="LEDGER_TABLE", min_length=3)]
    allowed: Annotated[AllowedPrefixes, Field(alias="ALLOWED_S3_PREFIXES"), BeforeValidator(AllowedPrefixes.parse)]
    narrowed: Annotated[CallerPrefixes, Field(alias="CALLER_S3_PREFIXES"), BeforeValidator(_caller_prefixes)] = CallerPrefixes()
    confirm_after_seconds: Annotated[float, Field(alias="CONFIRM_AFTER_SECONDS", ge=0)] = 120
    start_deadline_seconds: Annotated[float, Field(alias="START_DEADLINE_SECONDS", gt=0)] = 86_400
    max_queued: Annotated[int, Field(alias="MAX_QUEUED_PER_TRANSFORM", ge=0)] = 100
    share_runs: Annotated[bool, Field(alias="SHARE_RUNS")] = False
    retention_days: Annotated[float, Field(alias="RETENTION_DAYS", gt=0)] = 90

    @property
    def policy(self) -> Policy:
        return Policy(
            allowed_prefixes=self.allowed,
            caller_prefixes=self.narrowed,
            confirm_after=timedelta(seconds=self.confirm_after_seconds),
            start_deadline=timedelta(seconds=self.start_deadline_seconds),
            max_queued=self.max_queued,
            share_runs=self.share_runs,
        )


class BusSettings(BaseModel):
    """What the function that announces reads from its environment."""

    model_config = ConfigDict(defer_build=True)

    event_bus_name: Annotated[str, Field(alias="EVENT_BUS_NAME", min_length=1)]


def build_dependencies(environment: Mapping[str, str], session: "Session | boto3.session.Session") -> Dependencies:
    """Wire the collaborators. Raises pydantic.ValidationError naming the variable that is missing or wrong."""
    settings = LoopSettings.model_validate(environment)
    return Dependencies(
        ledger=DynamoLedger(
            client=session.client("dynamodb", config=_LEDGER),
            table=settings.ledger_table,
            retention=timedelta(days=settings.retention_days),
            new_revision=lambda: os.urandom(16).hex(),
        ),
        glue=GlueTaskRuns(
            starter=session.client("glue", config=_ONCE),
            client=OnDemand(lambda: session.client("glue", config=_AGAIN)),  # type: ignore[arg-type]  # the client itself
        ),
        files=S3LabelFiles(OnDemand(lambda: session.client("s3", config=_AGAIN))),  # type: ignore[arg-type]  # the client itself
        clock=lambda: datetime.now(UTC),
        policy=settings.policy,
    )


@cache
def dependencies() -> Dependencies:
    """The collaborators of this process, made at its first request."""
    _log_as_json()
    built = build_dependencies(os.environ, _session())
    cold_start.finish()
    return built


def renew() -> None:
    """Renew what processes that are restored from one snapshot must not share, or may find outdated."""
    _session().renew()
    random.seed()  # of the jitter between retries; ids come from the operating system


@cache
def _session() -> Session:
    return Session()


def bus(context: LambdaContext) -> "Bus":
    """The way out for events; the transforms' ARNs are those of the function's own account."""
    _, partition, _, region, account, *_ = context.invoked_function_arn.split(":")
    return _bus(f"arn:{partition}:glue:{region}:{account}")


@cache
def _bus(glue_arn: str) -> "Bus":
    from core.aws.bus import EventBus  # noqa: PLC0415  events are built of models that only who announces needs

    _log_as_json()
    name = BusSettings.model_validate(os.environ).event_bus_name
    built = EventBus(_session().client("events", config=_AGAIN), name, glue_arn)
    cold_start.finish()
    return built


@cache
def logger() -> Logger:
    return Logger(service=os.environ.get("POWERTOOLS_SERVICE_NAME", "glue-label-loop"))


@cache
def _log_as_json() -> None:
    """Let core's decisions, logged with the standard library, come out as Powertools' JSON lines."""
    core = logging.getLogger("core")
    core.handlers = logger().handlers[:1]
    core.setLevel(logger().log_level)
    core.propagate = False
