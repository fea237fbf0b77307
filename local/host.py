"""The process that is the local cloud: MiniStack, with our Glue ML engine in front, on one port.

Started by local.cloud with an environment of its own, because MiniStack reads its settings when it is imported.
"""

import argparse
import asyncio
import signal
from pathlib import Path
from typing import Any

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack.app import app

from local.like_aws import behave_like_aws, lend_sam_translator

SCHEDULE_TICK_SECONDS = 0.5


def main() -> None:
    asked = _arguments()
    lend_sam_translator(asked.sam_translator)
    behave_like_aws(SCHEDULE_TICK_SECONDS)
    asyncio.run(_serve(asked.bind))


async def _serve(bind: list[str]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    config = Config()
    config.bind = bind
    config.keep_alive_timeout = 75
    config.graceful_timeout = 3
    trigger: Any = stop.wait
    await serve(app, config, shutdown_trigger=trigger)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bind", action="append", required=True, help="host:port, once or more")
    parser.add_argument("--state", type=Path, required=True, help="folder for the Glue engine's state")
    parser.add_argument("--sam-translator", type=Path, help="site-packages that hold aws-sam-translator")
    return parser.parse_args()


if __name__ == "__main__":
    main()
