"""`python -m bench.shares`: where a warm function's time goes, by whose code it is.

cProfile of many requests in the function's own Python, AWS's answers canned, waiting left out. Small functions look
dearer in it than they are: these are shares by which to look for what is idle, not costs; bench/warm.py has those.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path
from pstats import Stats
from tempfile import TemporaryDirectory
from typing import Any

from bench.builds import Build, builds
from bench.running import canned_aws, run

_REQUESTS = 300
_WHOSE = {
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
_REST = "the rest of Python"


def shares(build: Build, starts: int, replays: int) -> dict[str, float]:
    """The part of the time, largest first; what loading and the first request cost is not in it."""
    few, more = _times(build, 5, 5), _times(build, 5 + starts, 5 + replays)
    spent = Counter({whose: seconds - few[whose] for whose, seconds in more.items()})
    total = sum(spent.values())
    return {whose: seconds / total for whose, seconds in spent.most_common() if seconds > 0}


def _times(build: Build, starts: int, replays: int) -> Counter[str]:
    """Seconds by whose code; what is written in C counts with who calls it."""
    with canned_aws() as aws, TemporaryDirectory() as folder:
        result = Path(folder) / "profile"
        run(build, aws, starts, replays, program=("bench/profiled.py", str(result)))
        stats: Any = Stats(str(result))
    found: Counter[str] = Counter()
    for (file, _, _), (_, _, own, _, callers) in stats.stats.items():
        if file == "~":
            for (caller, _, _), (_, _, of_it, _) in callers.items():
                found[_whose(caller)] += of_it
        else:
            found[_whose(file)] += own
    return found


def _whose(file: str) -> str:
    return next((_WHOSE[part] for part in Path(file).parts if part in _WHOSE), _REST)


def sentence(what: str, found: dict[str, float]) -> str:
    return f"Of a {what}: " + ", ".join(f"{whose} {part:.0%}" for whose, part in found.items()) + "."


def told() -> list[str]:
    """Of a start and of a replay, a sentence each."""
    ours = builds().ours
    return [sentence("start", shares(ours, _REQUESTS, 0)), sentence("replay", shares(ours, 0, _REQUESTS))]


if __name__ == "__main__":
    argparse.ArgumentParser(description=__doc__).parse_args()
    print("\n".join(told()))
    sys.exit(0)
