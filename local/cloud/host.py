"""The local cloud's process: MiniStack, with the Glue ML emulator in front of it, on one port.

local.cloud.process starts it with an environment of its own, because MiniStack reads its settings when it is imported.
"""

import argparse
import asyncio
import signal
from pathlib import Path

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack.app import app

from local.cloud.iam import IamAuthorizer
from local.cloud.ministack_patches import add_sam_translator_to_path, apply_patches
from local.glue.server import GlueMiddleware
from local.glue.service import build_service
from local.glue.settings import AwsEndpoint

SCHEDULE_TICK_SECONDS = 0.5
KEEP_ALIVE_SECONDS = 75
SHUTDOWN_GRACE_SECONDS = 3


def main() -> None:
    args = _parse_arguments()
    add_sam_translator_to_path(args.sam_translator)
    apply_patches(SCHEDULE_TICK_SECONDS)
    own_endpoint = AwsEndpoint(args.endpoint, args.region, args.access_key_id, args.secret_access_key)
    glue = build_service(args.state, own_endpoint)
    try:
        asyncio.run(_serve(IamAuthorizer(GlueMiddleware(app, glue)), args.listen_on))
    finally:
        glue.close()


async def _serve(application: IamAuthorizer, descriptors: list[int]) -> None:
    shutdown = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_number, shutdown.set)
    config = Config()
    config.bind = [f"fd://{descriptor}" for descriptor in descriptors]
    config.keep_alive_timeout = KEEP_ALIVE_SECONDS
    config.graceful_timeout = SHUTDOWN_GRACE_SECONDS
    await serve(application, config, shutdown_trigger=shutdown.wait)  # type: ignore[arg-type]  # its ASGI types are narrower


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listen-on", action="append", type=int, required=True, help="file descriptor of an open socket")
    parser.add_argument("--endpoint", required=True, help="URL at which the sockets are reached")
    parser.add_argument("--state", type=Path, required=True, help="folder for the Glue emulator's state")
    parser.add_argument("--region", required=True)
    parser.add_argument("--access-key-id", required=True)
    parser.add_argument("--secret-access-key", required=True)
    parser.add_argument("--sam-translator", type=Path, help="site-packages folder that holds aws-sam-translator")
    return parser.parse_args()


if __name__ == "__main__":
    main()
