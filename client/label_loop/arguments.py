"""The arguments of the `label-loop` command. Options that say where and how may stand before or after the verb."""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Command = Callable[..., None]
_KEY_HELP = "the idempotency key: the same key again returns the same run and starts nothing"
_BLIND_HELP = "show neither suggestions nor shading"
_FOLDER = "s3://bucket/folder"
_WAIT_HELP = "wait until the run has ended"


def make_parser(commands: Mapping[str, Command], version: str) -> argparse.ArgumentParser:
    """A parser whose result has `command`, one of `commands`, named `verb` or `verb noun`."""
    common = _common_options()
    parser = argparse.ArgumentParser(
        prog="label-loop", description="The Glue FindMatches labeling loop from a shell.", parents=[common], allow_abbrev=False
    )
    parser.add_argument("--version", action="version", version=version)
    verbs = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    group = CommandGroup(verbs, common, commands)
    _add_sets_and_runs(group)
    _add_starts(group)
    _add_links(group)
    _add_labels(group)
    group.add("doctor", "check the endpoint, the credentials, and what they allow")
    group.add("help", "explain a topic").add_argument("topic", nargs="?", choices=["exit-codes"])
    return parser


@dataclass(frozen=True)
class CommandGroup:
    """Adds commands below `name`, the verb that they share; at the top, `name` is empty."""

    parsers: Any  # argparse's own type is private
    common: argparse.ArgumentParser
    commands: Mapping[str, Command]
    name: str = ""

    def add(self, verb: str, summary: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = self.parsers.add_parser(
            verb, help=summary, description=summary, parents=[self.common], allow_abbrev=False
        )
        parser.set_defaults(command=self.commands[f"{self.name} {verb}".strip()])
        return parser

    def add_group(self, name: str, summary: str) -> "CommandGroup":
        parser = self.parsers.add_parser(name, help=summary, description=summary, allow_abbrev=False)
        parsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
        return CommandGroup(parsers, self.common, self.commands, name)


def _add_sets_and_runs(group: CommandGroup) -> None:
    sets = group.add_group("sets", "labeling sets: start, list, get")
    start = sets.add("start", "generate a labeling set")
    start.add_argument("transform")
    start.add_argument("output_s3_path", metavar=_FOLDER)
    _add_start_options(start)
    sets.add("list", "list the runs that generate labeling sets, newest first").add_argument("--transform")
    sets.add("get", "show a labeling set and who has answered how much").add_argument("set")
    runs = group.add_group("runs", "task runs: list, get, cancel, wait")
    listing = runs.add("list", "list task runs, newest first")
    listing.add_argument("--transform")
    listing.add_argument("--status", metavar="STATUS")
    listing.add_argument("--type", dest="task_type", metavar="TASK_TYPE")
    runs.add("get", "show a task run").add_argument("run")
    runs.add("cancel", "cancel a task run").add_argument("run")
    wait = runs.add("wait", "wait until a task run has ended")
    wait.add_argument("run")
    wait.add_argument("--timeout", type=float, metavar="SECONDS")


def _add_starts(group: CommandGroup) -> None:
    label_import = group.add("import", "import a label file, of this machine or in S3")
    label_import.add_argument("transform")
    label_import.add_argument("file", metavar="FILE|s3://bucket/key")
    label_import.add_argument("--upload-to", metavar=_FOLDER, help="where a file of this machine is put first")
    label_import.add_argument("--replace", action="store_true", help="forget all earlier labels of the transform first")
    label_import.add_argument("--export-to", metavar=_FOLDER, help="with --replace: export the earlier labels there first")
    _add_start_options(label_import)
    evaluation = group.add("evaluate", "evaluate a transform by its labels")
    evaluation.add_argument("transform")
    _add_start_options(evaluation)
    export = group.add("export", "export the labels of a transform")
    export.add_argument("transform")
    export.add_argument("output_s3_path", metavar=_FOLDER)
    _add_start_options(export)


def _add_links(group: CommandGroup) -> None:
    label = group.add("label", "open the labeling page for a set")
    label.add_argument("set")
    _add_labeler(label)
    label.add_argument("--print-url", action="store_true", help="print the link instead of opening a browser")
    label.add_argument("--blind", action="store_true", help=_BLIND_HELP)
    links = group.add_group("links", "links to the labeling page: create, list, revoke")
    create = links.add("create", "create a link for one labeler; it is shown this once")
    create.add_argument("set")
    _add_labeler(create)
    create.add_argument("--expires-in", type=int, metavar="SECONDS", help="300 to 604800; default 28800")
    create.add_argument("--no-import", action="store_true", help="the labeler may answer, but not start the import")
    create.add_argument("--blind", action="store_true", help=_BLIND_HELP)
    links.add("list", "list the links of a set, without their secrets").add_argument("set")
    revoke = links.add("revoke", "refuse a link from now on")
    revoke.add_argument("set")
    revoke.add_argument("link")


def _add_labels(group: CommandGroup) -> None:
    get = group.add("get", "get the labels of a set as a CSV file")
    get.add_argument("set")
    get.add_argument("-o", "--output", metavar="FILE", help="write to this file, not to stdout")
    get.add_argument("--for", dest="purpose", choices=["spreadsheet"], help="a copy of all rows whose cells start no formula")
    put = group.add("put", "take over the labels of a CSV file, such as one that a spreadsheet saved")
    put.add_argument("set")
    put.add_argument("file")
    check = group.add("check", "check whether the labels of a set can be imported")
    check.add_argument("set")
    submit = group.add("submit", "import the labels of a set, once however often it is called")
    submit.add_argument("set")
    _add_wait(submit)
    for parser in (get, put, check, submit):
        _add_labeler(parser)
    agreement = group.add("agreement", "compare the labelers of a set")
    agreement.add_argument("set")
    agreement.add_argument("--consensus-to", metavar="FILE", help="write the labels on which they agree to this file")


def _common_options() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    where = common.add_argument_group("where and who")
    where.add_argument("--api", metavar="URL", help="the API's URL; default: LABEL_LOOP_API, or the stack glue-label-loop")
    where.add_argument("--stack", metavar="NAME", help="the CloudFormation stack whose output ApiUrl is used")
    where.add_argument("--local", action="store_true", help="the local cloud that `make up` started")
    where.add_argument("--profile", help="the AWS profile")
    where.add_argument("--region", help="the AWS region")
    how = common.add_argument_group("output")
    how.add_argument("--json", action="store_true", help="print one JSON document")
    how.add_argument("--quiet", action="store_true", help="print ids alone")
    how.add_argument("--debug", action="store_true", help="print idempotency keys, and the traceback of an unexpected error")
    return common


def _add_start_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--key", help=_KEY_HELP)
    _add_wait(parser)


def _add_wait(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--wait", action="store_true", help=_WAIT_HELP)
    parser.add_argument("--timeout", type=float, metavar="SECONDS", help="wait no longer than this")


def _add_labeler(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--as", dest="labeler", metavar="NAME", help="the labeler; default: the name of this machine's user")
