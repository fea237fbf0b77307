"""`python -m bench.warm`: what a start and a replay cost a warm function, in AWS calls and in instructions.

A unit is one boto3 call of Glue's start operation, as a client makes it by default. Instructions are those of the client's
process alone, the difference between a few requests and some more; AWS's side is canned, in another process.
"""

import sys

from bench.builds import Build, builds
from bench.rows import Row, command, ratios
from bench.running import canned_aws, instructions, run

_FEW, _MORE = 4, 14


def calls(build: Build) -> tuple[int, int]:
    """AWS calls of a start, and of a replay."""
    with canned_aws() as aws:
        run(build, aws, starts=1)
        of_start = len(aws.calls())
    with canned_aws() as aws:
        run(build, aws, starts=1, replays=1)
        return of_start, len(aws.calls()) - of_start


def costs(build: Build) -> tuple[float, float]:
    """Instructions of a start, and of a replay."""
    few = instructions(build, _FEW, _FEW)
    return (instructions(build, _MORE, _FEW) - few) / (_MORE - _FEW), (instructions(build, _FEW, _MORE) - few) / (_MORE - _FEW)


def of_another(build: Build) -> float:
    """Instructions of a replay of what another process started."""
    more, few = (instructions(build, starts, after=starts) for starts in (_MORE, _FEW))
    return (more - few) / (_MORE - _FEW)


def one_glue_call() -> float:
    """Instructions of one boto3 Glue call."""
    bare = builds().bare
    one_call = Build("one call", bare.folder, "one_call.handler")
    return (instructions(one_call, _MORE) - instructions(one_call, _FEW)) / (_MORE - _FEW)


def measure() -> list[Row]:
    built = builds()
    called = {name: calls(peer) for name, peer in built.peers.items()}
    ours = calls(built.ours)
    rows = [
        Row("AWS calls per start", 3, "3", ours[0], {name: start for name, (start, _) in called.items()}, digits=0),
        Row("AWS calls per replay", 1, "1", ours[1], {name: replay for name, (_, replay) in called.items()}, digits=0),
    ]
    # .pyc change nothing for a function that is warm
    measured = {name: costs(peer) for name, peer in built.peers.items() if name not in ("textbook", "FastAPI")}
    of_ours, unit = costs(built.ours), one_glue_call()
    for index, (what, goal, best) in enumerate((("start", 3.2, "3.27"), ("replay", 1.3, "1.35"))):
        peers = ratios({name: both[index] for name, both in measured.items()}, unit)
        said = f"instructions per {what}, vs one raw boto3 Glue call"
        rows.append(Row(said, goal, best, of_ours[index] / unit, peers, plotted=True))
    elsewhere = ratios({name: of_another(built.peers[name]) for name in measured}, unit)
    rows.append(Row("the same, of a run that another process started", ours=of_another(built.ours) / unit, peers=elsewhere))
    return rows


if __name__ == "__main__":
    sys.exit(command(measure, __doc__))
