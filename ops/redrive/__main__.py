"""`make redrive`: send the messages on the dead-letter queues through their functions again."""

import argparse
import sys
from pathlib import Path

from boto3.session import Session
from botocore.exceptions import BotoCoreError, ClientError

from ops.redrive.redrive import DOORS, redrive
from ops.redrive.stack import find, local_session

_LOCAL = Path(__file__).resolve().parents[2] / ".local" / "stack.json"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m ops.redrive", description=__doc__)
    parser.add_argument("queues", nargs="*", metavar="QUEUE", help=f"of {', '.join(DOORS)}; all of them if none is named")
    parser.add_argument("--stack", default="glue-label-loop", help="the deployed stack's name")
    parser.add_argument("--local", action="store_true", help="in the local cloud that make up has started")
    parser.add_argument("--dry-run", action="store_true", help="show the messages and leave them")
    asked = parser.parse_args()
    if unknown := set(asked.queues) - set(DOORS):
        parser.error(f"no such queue: {', '.join(sorted(unknown))}")
    try:
        session, endpoint = local_session(_LOCAL) if asked.local else (Session(), None)
        deployed = find(asked.stack, session, endpoint)
    except FileNotFoundError:
        parser.error("no local cloud is running: make up")
    except (ClientError, BotoCoreError) as fault:
        parser.error(f"the stack {asked.stack} cannot be found: {fault}")
    tally = redrive(deployed, asked.queues or list(DOORS), _say, dry_run=asked.dry_run)
    _say(f"{tally.sent} sent, {len(tally.kept)} stay on their queues")
    return 1 if tally.kept else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
