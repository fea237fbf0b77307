"""The `label-loop` command. Its exit codes: `label-loop help exit-codes`. Tracebacks are shown with --debug only."""

import sys
import traceback
from argparse import Namespace
from collections.abc import Sequence
from importlib import metadata

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, NoCredentialsError, ProfileNotFound

from label_loop import commands
from label_loop.arguments import Command, make_parser
from label_loop.endpoint import find_endpoint
from label_loop.errors import LabelLoopError, UsageError
from label_loop.loop import LabelLoop
from label_loop.output import Output, say

COMMANDS: dict[str, Command] = {
    "sets start": commands.start_set,
    "sets list": commands.list_sets,
    "sets get": commands.get_set,
    "runs list": commands.list_runs,
    "runs get": commands.get_run,
    "runs cancel": commands.cancel_run,
    "runs wait": commands.wait_for_run,
    "import": commands.import_labels,
    "evaluate": commands.evaluate,
    "export": commands.export_labels,
    "label": commands.open_page,
    "links create": commands.create_link,
    "links list": commands.list_links,
    "links revoke": commands.revoke_link,
    "get": commands.get_labels,
    "put": commands.put_labels,
    "check": commands.check_labels,
    "submit": commands.submit_labels,
    "agreement": commands.show_agreement,
    "doctor": commands.doctor,
    "help": commands.explain,
}
_INTERRUPTED = 130
_BROKEN_PIPE = 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    args = make_parser(COMMANDS, _version()).parse_args(arguments)
    try:
        _run(args)
    except LabelLoopError as error:
        return _failed(args, error, error.exit_code)
    except (NoCredentialsError, ProfileNotFound) as error:
        return _failed(args, error, 4)
    except (BotoCoreError, ClientError, HTTPClientError, OSError, ValueError) as error:
        if isinstance(error, BrokenPipeError):
            return _BROKEN_PIPE
        return _failed(args, error, 1)
    except KeyboardInterrupt:
        say("interrupted; a run that was started goes on")
        return _INTERRUPTED
    return 0


def _run(args: Namespace) -> None:
    if getattr(args, "json", False) and getattr(args, "quiet", False):
        raise UsageError("give only one of --json and --quiet")
    output = Output("json" if getattr(args, "json", False) else "quiet" if getattr(args, "quiet", False) else "table")
    if args.command is commands.explain:
        commands.explain(args, None, output)
        return
    options = {name: getattr(args, name, None) for name in ("api", "stack", "profile", "region")}
    endpoint = find_endpoint(**options, local=getattr(args, "local", False))
    show_key = (lambda key: say(f"idempotency key {key}")) if getattr(args, "debug", False) else (lambda _: None)
    args.command(args, LabelLoop(endpoint=endpoint, on_key=show_key), output)


def _failed(args: Namespace, error: Exception, code: int) -> int:
    if getattr(args, "debug", False):
        traceback.print_exception(error)
    say(f"label-loop: {error}")
    return code


def _version() -> str:
    try:
        return f"label-loop {metadata.version('glue-label-loop')}"
    except metadata.PackageNotFoundError:
        return "label-loop, not installed"


def run() -> None:
    """The entry point of the installed command."""
    sys.exit(main())


if __name__ == "__main__":
    run()
