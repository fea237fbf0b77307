"""`python -m bench.size`: what is uploaded for a function, in megabytes, zipped as `sam deploy` zips it.

Ours is the only one of them that carries bytecode as it ships: without it, all of a package is compiled at every cold start.
"""

import sys

from bench.builds import builds, has_pyc, zipped_megabytes
from bench.rows import Row, command


def measure() -> list[Row]:
    built = builds()
    peers = {name: zipped_megabytes(peer) for name, peer in built.peers.items()}
    carried = "with" if has_pyc(built.ours) else "WITHOUT"
    return [Row(f"deployed zip, {carried} .pyc", 4.8, "4.8", zipped_megabytes(built.ours), peers, unit=" MB", digits=1)]


if __name__ == "__main__":
    sys.exit(command(measure, __doc__))
