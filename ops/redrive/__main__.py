"""`make redrive`: send the messages of the dead-letter queues through their functions again."""

import argparse
import sys
from pathlib import Path

from boto3.session import Session
from botocore.exceptions import BotoCoreError, ClientError

from ops.redrive.redrive import QUEUES, redrive
from ops.redrive.stack import find, local_session

_LOCAL = Path(__file__).resolve().parents[2] / ".local" / "stack.json"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m ops.redrive", description=__doc__)
    parser.add_argument("queues", nargs="*", metavar="QUEUE", help=f"{', '.join(QUEUES)} (default: all)")
    parser.add_argument("--stack", default="glue-label-loop", help="name of the deployed stack (glue-label-loop)")
    parser.add_argument("--local", action="store_true", help="use the local cloud that `make up` has started")
    parser.add_argument("--dry-run", action="store_true", help="print the messages and leave them on their queues")
    args = parser.parse_args()
    if unknown := set(args.queues) - set(QUEUES):
        parser.error(f"no such queue: {', '.join(sorted(unknown))}")
    try:
        session, endpoint = local_session(_LOCAL) if args.local else (Session(), None)
        deployed = find(args.stack, session, endpoint)
    except FileNotFoundError:
        parser.error("no local cloud is running; start it with make up")
    except (ClientError, BotoCoreError) as error:
        parser.error(f"the stack {args.stack} cannot be found: {error}")
    tally = redrive(deployed, args.queues or list(QUEUES), _print, dry_run=args.dry_run)
    _print(f"{tally.sent} sent, {len(tally.kept)} kept on their queues")
    return 1 if tally.kept else 0


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
