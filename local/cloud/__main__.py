"""`make up` and `make down`."""

import argparse
import sys
from pathlib import Path

from local.cloud.lifecycle import STATE_FOLDER, down, print_message, up
from local.cloud.process import CloudFailed


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.cloud", description=__doc__)
    parser.add_argument("action", choices=["up", "down"])
    parser.add_argument("--also-on", action="append", default=[], metavar="ADDRESS", help="one more address to listen on")
    parser.add_argument("--folder", type=Path, default=STATE_FOLDER, help="where its state and stack.json are kept")
    asked = parser.parse_args()
    try:
        up(asked.folder, asked.also_on) if asked.action == "up" else down(asked.folder)
    except CloudFailed as failure:
        print_message(str(failure))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
