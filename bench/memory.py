"""`python -m bench.memory`: resident memory of a warm function, beside the peers'.

Measured after the first response, when clients that are made late are loaded, too. Medians of processes that take turns; the
unit is the bare boto3 handler's memory.
"""

import sys
from dataclasses import replace
from functools import partial

from bench.builds import Build, builds
from bench.handler_process import run, stub_aws_process
from bench.rows import NotMeasurable, Row, command, interleaved, ratios

ROW = Row("resident memory after the first response, vs bare boto3", goal=0.92, plotted=True)
_ROUNDS = 5


def resident_megabytes(build: Build) -> float:
    with stub_aws_process() as aws:
        kilobytes: float = run(build, aws, starts=1)["rss"]
    if not kilobytes:
        raise NotMeasurable("no /proc/self/smaps_rollup")
    return kilobytes / 1024


def measure() -> list[Row]:
    packages = builds()
    megabytes = interleaved(_ROUNDS, {build.name: partial(resident_megabytes, build) for build in packages.all})
    ours, bare = megabytes.pop("ours"), megabytes["bare"]
    return [replace(ROW, label=f"{ROW.label} ({bare:.0f} MB)", ours=ours / bare, peers=ratios(megabytes, bare))]


if __name__ == "__main__":
    sys.exit(command(measure, __doc__))
