"""`python -m bench.cpu_profile`: shares of a warm function's CPU time, by library.

cProfile of many requests in the functions' Python, with stubbed AWS calls and without waiting. It overstates small functions:
use the shares to look for waste, and bench/warm.py for costs.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path
from pstats import Stats
from tempfile import TemporaryDirectory
from typing import Any

from bench.builds import Build, builds
from bench.handler_process import run, stub_aws_process

_REQUESTS = 300
_WARM_UP_REQUESTS = 5
_LIBRARIES = {
    "core": "our own code",
    "handlers": "our own code",
    "botocore": "botocore",
    "jmespath": "botocore",
    "urllib3": "HTTP",
    "http": "HTTP",
    "email": "HTTP",
    "socket.py": "HTTP",
    "aws_lambda_powertools": "Powertools",
    "pydantic": "pydantic",
    "json": "JSON",
    "logging": "logging",
}
_OTHER = "the rest of Python"


def shares(build: Build, starts: int, replays: int) -> dict[str, float]:
    """Parts of 1 by library, largest first, without loading and the first requests."""
    few = _seconds(build, _WARM_UP_REQUESTS, _WARM_UP_REQUESTS)
    more = _seconds(build, _WARM_UP_REQUESTS + starts, _WARM_UP_REQUESTS + replays)
    spent = Counter({library: seconds - few[library] for library, seconds in more.items()})
    total = sum(spent.values())
    return {library: seconds / total for library, seconds in spent.most_common() if seconds > 0}


def _seconds(build: Build, starts: int, replays: int) -> Counter[str]:
    """CPU seconds by library; a function written in C counts with its caller."""
    with stub_aws_process() as aws, TemporaryDirectory() as folder:
        result = Path(folder) / "profile"
        run(build, aws, starts, replays, program=("bench/profile_driver.py", str(result)))
        stats: Any = Stats(str(result))
    seconds: Counter[str] = Counter()
    for (file, _, _), (_, _, own_seconds, _, callers) in stats.stats.items():
        if file == "~":
            for (caller, _, _), (_, _, seconds_for_caller, _) in callers.items():
                seconds[_library(caller)] += seconds_for_caller
        else:
            seconds[_library(file)] += own_seconds
    return seconds


def _library(file: str) -> str:
    return next((_LIBRARIES[part] for part in Path(file).parts if part in _LIBRARIES), _OTHER)


def sentence(subject: str, parts: dict[str, float]) -> str:
    return f"Of a {subject}: " + ", ".join(f"{name} {part:.0%}" for name, part in parts.items()) + "."


def sentences() -> list[str]:
    """A sentence each for a start and a replay. Raises NotMeasurable."""
    ours = builds().ours
    return [sentence("start", shares(ours, _REQUESTS, 0)), sentence("replay", shares(ours, 0, _REQUESTS))]


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    print("\n".join(sentences()))
    sys.exit(0)
