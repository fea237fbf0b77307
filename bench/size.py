"""`python -m bench.size`: megabytes that are uploaded for a function, zipped as `sam deploy` zips it.

Only our package and the peers' ".pyc" variants contain bytecode; without it, every cold start compiles the whole package.
"""

import sys
from dataclasses import replace

from bench.builds import builds, has_pyc, zipped_megabytes
from bench.rows import Row, command

ROW = Row("deployed zip", goal=5.2, unit=" MB", digits=1)


def measure() -> list[Row]:
    packages = builds()
    peers = {name: zipped_megabytes(peer) for name, peer in packages.peers.items()}
    bytecode = "with .pyc" if has_pyc(packages.ours) else "WITHOUT .pyc"
    return [replace(ROW, label=f"{ROW.label}, {bytecode}", ours=zipped_megabytes(packages.ours), peers=peers)]


if __name__ == "__main__":
    sys.exit(command(measure, __doc__))
