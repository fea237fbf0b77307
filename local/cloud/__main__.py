"""`make up` and `make down`: start the local cloud in the background, and stop it."""

import argparse
import sys
from pathlib import Path

from local.cloud.lifecycle import STATE_FOLDER, down, print_message, up
from local.cloud.process import CloudFailed

INTERRUPTED = 130  # 128 + SIGINT, as shells report it


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m local.cloud", description=__doc__)
    parser.add_argument("action", choices=["up", "down"])
    parser.add_argument("--also-on", action="append", default=[], metavar="ADDRESS", help="an additional address to listen on")
    parser.add_argument("--folder", type=Path, default=STATE_FOLDER, help="where its state and stack.json are kept")
    args = parser.parse_args()
    try:
        folder = args.folder.resolve()
        up(folder, args.also_on) if args.action == "up" else down(folder)
    except CloudFailed as error:
        print_message(str(error))
        return 1
    except KeyboardInterrupt:
        print_message("Interrupted. `make down` stops what may still run.")
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
