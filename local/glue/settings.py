"""How the service is set up: limits, pace, and where it finds the rest of AWS."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Glue's default quotas, and a pace that suits a laptop.

    `starting_seconds` and `running_seconds` are the least time a run stays visible in STARTING and RUNNING,
    `stopping_seconds` in STOPPING. `minute_seconds` is how long a minute of a transform's Timeout lasts.
    `workers` is how many runs compute at the same time; others wait in STARTING.
    """

    max_runs_per_transform: int = 3
    max_runs_per_account: int = 30
    max_transforms_per_account: int = 100
    max_label_file_mb: int = 10
    starting_seconds: float = 0.05
    running_seconds: float = 0.05
    stopping_seconds: float = 0.0
    minute_seconds: float = 60.0
    workers: int = 2
    warm_workers: int = 1


@dataclass(frozen=True)
class AwsEndpoint:
    """The AWS (or local stand-in) whose Data Catalog and S3 hold tables and files. `url` None means AWS itself; keys
    None mean the usual chain of credentials. Picklable, so that worker processes make clients of their own.
    """

    url: str | None = None
    region: str = "us-east-1"
    access_key_id: str | None = None
    secret_access_key: str | None = None
