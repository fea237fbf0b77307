"""Settings of the service: quotas, durations, and the endpoint of the rest of AWS."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Glue's default quotas, and durations that suit a laptop.

    A run stays at least `starting_seconds` in STARTING, `running_seconds` in RUNNING and `stopping_seconds` in STOPPING.
    `minute_seconds` is the real duration of a minute of a transform's Timeout. At most `workers` runs execute at the
    same time; the others wait in STARTING. `warm_workers` idle processes are kept.
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
    """The AWS endpoint, or its local substitute, of the Data Catalog and S3. `url` None is AWS itself; keys None use the
    default credential chain. It is picklable, because worker processes create their own clients.
    """

    url: str | None = None
    region: str = "us-east-1"
    access_key_id: str | None = None
    secret_access_key: str | None = None
