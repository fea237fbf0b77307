"""`python -m local.glue`: the Glue emulator as a server."""

import argparse
import asyncio
import logging
import signal
from pathlib import Path

from hypercorn.asyncio import serve
from hypercorn.config import Config

from local.glue.server import GlueMiddleware, unknown_operation_app
from local.glue.service import build_service
from local.glue.settings import AwsEndpoint, Settings


def main() -> None:
    args = _arguments()
    logging.basicConfig(level=logging.INFO)
    endpoint = AwsEndpoint(args.aws_endpoint_url, args.region, args.access_key_id, args.secret_access_key)
    defaults = Settings()
    settings = Settings(
        starting_seconds=args.starting_seconds,
        running_seconds=args.running_seconds,
        minute_seconds=args.minute_seconds,
        workers=args.workers,
        warm_workers=min(defaults.warm_workers, args.workers),
    )
    service = build_service(args.state, endpoint, settings=settings)
    try:
        asyncio.run(_serve(GlueMiddleware(unknown_operation_app, service), args.host, args.port))
    finally:
        service.close()


async def _serve(app: GlueMiddleware, host: str, port: int) -> None:
    config = Config()
    config.bind = [f"{host}:{port}"]
    config.graceful_timeout = 2
    stop = asyncio.Event()
    for signal_number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(signal_number, stop.set)
    await serve(app, config, shutdown_trigger=stop.wait)  # type: ignore[arg-type]  # hypercorn's ASGI types are narrower


def _arguments() -> argparse.Namespace:
    defaults = Settings()
    parser = argparse.ArgumentParser(prog="python -m local.glue", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=4599)
    parser.add_argument("--state", type=Path, default=Path(".local/glue"), help="folder for all state")
    parser.add_argument("--aws-endpoint-url", help="endpoint of the Data Catalog and S3; AWS if omitted")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--access-key-id", help="the default credential chain if omitted")
    parser.add_argument("--secret-access-key")
    parser.add_argument("--starting-seconds", type=float, default=defaults.starting_seconds)
    parser.add_argument("--running-seconds", type=float, default=defaults.running_seconds)
    parser.add_argument("--minute-seconds", type=float, default=defaults.minute_seconds, help="seconds per minute of a Timeout")
    parser.add_argument("--workers", type=int, default=defaults.workers)
    return parser.parse_args()


if __name__ == "__main__":
    main()
