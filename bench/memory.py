"""`python -m bench.memory`: what a warm function holds in memory, beside the peers.

Resident memory after the first answer: by then all that a function loads is loaded, clients that are made late included.
Medians of processes that take turns; the bare boto3 handler's is 1.
"""

import sys
from functools import partial

from bench.builds import Build, builds
from bench.rows import NotHere, Row, command, interleaved, ratios
from bench.running import canned_aws, run

_ROUNDS = 5


def resident_megabytes(build: Build) -> float:
    with canned_aws() as aws:
        kilobytes: float = run(build, aws, starts=1)["rss"]
    if not kilobytes:
        raise NotHere("no /proc/self/smaps_rollup")
    return kilobytes / 1024


def measure() -> list[Row]:
    built = builds()
    seen = interleaved(_ROUNDS, {build.name: partial(resident_megabytes, build) for build in built.all})
    ours, bare = seen.pop("ours"), seen["bare"]
    said = f"resident memory after the first answer, vs bare boto3 ({bare:.0f} MB)"
    return [Row(said, 0.86, "0.86", ours / bare, ratios(seen, bare), plotted=True)]


if __name__ == "__main__":
    sys.exit(command(measure, __doc__))
