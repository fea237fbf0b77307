"""`python -m bench.cold`: how much work a cold start is, in instructions, beside the peers.

From the start of Python to the first answer, a labeling-set run accepted: importing, making clients, the first request with all
its AWS calls. Without what the interpreter costs by itself; of all that is left, the bare boto3 handler's is 1.
"""

import sys

from bench.builds import builds
from bench.rows import Row, command, ratios
from bench.running import instructions, instructions_of_interpreter


def measure() -> list[Row]:
    built = builds()
    interpreter = instructions_of_interpreter()
    peers = {name: float(instructions(peer, starts=1) - interpreter) for name, peer in built.peers.items()}
    ours = instructions(built.ours, starts=1) - interpreter
    bare = peers["bare"]
    return [
        Row(
            "cold start to the first answer, instructions net of the interpreter, vs bare boto3",
            goal=0.80,
            best="0.86",
            ours=ours / bare,
            peers=ratios(peers, bare),
            plotted=True,
        )
    ]


if __name__ == "__main__":
    sys.exit(command(measure, __doc__))
