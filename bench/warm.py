"""`python -m bench.warm`: AWS calls and instructions of a warm function per start and per replay.

The unit is one boto3 call of Glue's start operation by a default client. Only the client's process is counted, as the
difference between a few requests and some more; stubbed AWS runs in another process.
"""

import sys
from dataclasses import replace

from bench.builds import Build, builds
from bench.handler_process import instructions, run, stub_aws_process
from bench.rows import Row, command, ratios

ROWS = (
    Row("AWS calls per start", goal=3, digits=0),
    Row("AWS calls per replay", goal=1, digits=0),
    Row("instructions per start, vs one boto3 Glue call", goal=3.2, plotted=True),
    Row("instructions per replay, vs one boto3 Glue call", goal=1.3, plotted=True),
    Row("the same, of a run that another process started"),
)
_FEW, _MORE = 4, 14
_PYC_ALREADY_LOADED = ("textbook", "FastAPI")  # once warm, they cost what their .pyc variants cost


def calls(build: Build) -> tuple[int, int]:
    """AWS calls of a start, and of a replay."""
    with stub_aws_process() as aws:
        run(build, aws, starts=1)
        start = len(aws.calls())
    with stub_aws_process() as aws:
        run(build, aws, starts=1, replays=1)
        return start, len(aws.calls()) - start


def costs(build: Build) -> tuple[float, float]:
    """Instructions of a start, and of a replay."""
    few = instructions(build, _FEW, _FEW)
    more_starts, more_replays = instructions(build, _MORE, _FEW), instructions(build, _FEW, _MORE)
    return (more_starts - few) / (_MORE - _FEW), (more_replays - few) / (_MORE - _FEW)


def replay_elsewhere(build: Build) -> float:
    """Instructions of a replay of a run that another process started."""
    more, few = (instructions(build, starts, after=starts) for starts in (_MORE, _FEW))
    return (more - few) / (_MORE - _FEW)


def one_glue_call() -> float:
    """Instructions of one boto3 Glue call."""
    one_call = Build("one call", builds().bare.folder, "one_call.handler")
    return (instructions(one_call, _MORE) - instructions(one_call, _FEW)) / (_MORE - _FEW)


def measure() -> list[Row]:
    packages = builds()
    start_calls, replay_calls, start, replay, elsewhere = ROWS
    peer_calls = {name: calls(peer) for name, peer in packages.peers.items()}
    our_calls = calls(packages.ours)
    counted = {name: peer for name, peer in packages.peers.items() if name not in _PYC_ALREADY_LOADED}
    peer_costs = {name: costs(peer) for name, peer in counted.items()}
    our_costs, unit = costs(packages.ours), one_glue_call()
    return [
        replace(start_calls, ours=our_calls[0], peers={name: figures[0] for name, figures in peer_calls.items()}),
        replace(replay_calls, ours=our_calls[1], peers={name: figures[1] for name, figures in peer_calls.items()}),
        *(
            replace(
                row,
                ours=our_costs[index] / unit,
                peers=ratios({name: figures[index] for name, figures in peer_costs.items()}, unit),
            )
            for index, row in enumerate((start, replay))
        ),
        replace(
            elsewhere,
            ours=replay_elsewhere(packages.ours) / unit,
            peers=ratios({name: replay_elsewhere(peer) for name, peer in counted.items()}, unit),
        ),
    ]


if __name__ == "__main__":
    sys.exit(command(measure, __doc__))
