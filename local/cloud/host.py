"""The process that is the local cloud: MiniStack, with our Glue ML engine in front, on one port.

Started by local.cloud.lifecycle with an environment of its own, because MiniStack reads its settings when it is imported.
"""

import argparse
import asyncio
import signal
from pathlib import Path

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack.app import app

from local.cloud.iam import Authorized
from local.cloud.ministack_patches import add_sam_translator_to_path, apply_patches
from local.glue.server import GlueMiddleware
from local.glue.service import build_service
from local.glue.settings import AwsEndpoint

SCHEDULE_TICK_SECONDS = 0.5


def main() -> None:
    asked = _arguments()
    add_sam_translator_to_path(asked.sam_translator)
    apply_patches(SCHEDULE_TICK_SECONDS)
    ourselves = AwsEndpoint(f"http://{asked.bind[0]}", asked.region, asked.access_key_id, asked.secret_access_key)
    glue = build_service(asked.state, ourselves)
    try:
        asyncio.run(_serve(Authorized(GlueMiddleware(app, glue)), asked.bind))
    finally:
        glue.close()


async def _serve(application: Authorized, bind: list[str]) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    config = Config()
    config.bind = bind
    config.keep_alive_timeout = 75
    config.graceful_timeout = 3
    await serve(application, config, shutdown_trigger=stop.wait)  # type: ignore[arg-type]  # its own ASGI types are narrower


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bind", action="append", required=True, help="host:port, once or more")
    parser.add_argument("--state", type=Path, required=True, help="folder for the Glue engine's state")
    parser.add_argument("--region", required=True)
    parser.add_argument("--access-key-id", required=True)
    parser.add_argument("--secret-access-key", required=True)
    parser.add_argument("--sam-translator", type=Path, help="site-packages that hold aws-sam-translator")
    return parser.parse_args()


if __name__ == "__main__":
    main()
