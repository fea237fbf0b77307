"""`python -m local.glue`: Glue's ML part as a server of its own."""

import argparse
import asyncio
import logging
import signal
from pathlib import Path

from hypercorn.asyncio import serve
from hypercorn.config import Config

from local.glue.server import GlueMiddleware, nothing_else
from local.glue.service import build_service
from local.glue.settings import AwsEndpoint, Settings


def main() -> None:
    asked = _arguments()
    logging.basicConfig(level=logging.INFO)
    endpoint = AwsEndpoint(asked.aws_endpoint_url, asked.region, asked.access_key_id, asked.secret_access_key)
    defaults = Settings()
    settings = Settings(
        starting_seconds=asked.starting_seconds,
        running_seconds=asked.running_seconds,
        minute_seconds=asked.minute_seconds,
        workers=asked.workers,
        warm_workers=min(defaults.warm_workers, asked.workers),
    )
    service = build_service(asked.state, endpoint, settings=settings)
    try:
        asyncio.run(_serve(GlueMiddleware(nothing_else, service), asked.host, asked.port))
    finally:
        service.close()


async def _serve(app: GlueMiddleware, host: str, port: int) -> None:
    config = Config()
    config.bind = [f"{host}:{port}"]
    config.graceful_timeout = 2
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await serve(app, config, shutdown_trigger=stop.wait)  # type: ignore[arg-type]  # hypercorn's own ASGI types are narrower


def _arguments() -> argparse.Namespace:
    defaults = Settings()
    parser = argparse.ArgumentParser(prog="python -m local.glue", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=4599)
    parser.add_argument("--state", type=Path, default=Path(".local/glue"), help="folder that holds all state")
    parser.add_argument("--aws-endpoint-url", help="where the Data Catalog and S3 are; AWS itself if absent")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--access-key-id", help="the usual chain of credentials if absent")
    parser.add_argument("--secret-access-key")
    parser.add_argument("--starting-seconds", type=float, default=defaults.starting_seconds)
    parser.add_argument("--running-seconds", type=float, default=defaults.running_seconds)
    parser.add_argument("--minute-seconds", type=float, default=defaults.minute_seconds, help="of a Timeout minute")
    parser.add_argument("--workers", type=int, default=defaults.workers)
    return parser.parse_args()


if __name__ == "__main__":
    main()
