"""`python -m bench.cold`: instructions of a cold start, beside the peers'.

From the start of Python to the first response, an accepted labeling-set run: imports, clients, the first request with its AWS
calls. The bare interpreter's instructions are subtracted; the unit is the rest of the bare boto3 handler.
"""

import sys
from dataclasses import replace

from bench.builds import builds
from bench.handler_process import instructions, instructions_of_interpreter
from bench.rows import Row, command, ratios

ROW = Row("cold start to the first response, instructions vs bare boto3", goal=1.00, plotted=True)


def measure() -> list[Row]:
    packages = builds()
    interpreter = instructions_of_interpreter()
    peers = {name: float(instructions(peer, starts=1) - interpreter) for name, peer in packages.peers.items()}
    ours = instructions(packages.ours, starts=1) - interpreter
    return [replace(ROW, ours=ours / peers["bare"], peers=ratios(peers, peers["bare"]))]


if __name__ == "__main__":
    sys.exit(command(measure, __doc__))
