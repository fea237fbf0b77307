"""What each `label-loop` command does. Each takes the parsed arguments, the loop, and where to print."""

import sys
from argparse import Namespace
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from label_loop.errors import EXIT_CODES, LabelLoopError, LabelsNotFit, ServiceError, UsageError
from label_loop.labels import Labels
from label_loop.loop import LabelLoop
from label_loop.models import TaskRun
from label_loop.output import Output, say
from label_loop.run_handle import DEFAULT_WAIT_SECONDS, RunHandle

RUN_COLUMNS = ("id", "taskType", "transformId", "status", "requestedOn", "completedOn")
LINK_COLUMNS = ("linkId", "labeler", "mayImport", "blind", "expiresOn")
_NOT_FOUND = 404


def start_set(args: Namespace, loop: LabelLoop, output: Output) -> None:
    _finish(loop.start_labeling_set(args.transform, args.output_s3_path, args.key), args, output)


def list_sets(args: Namespace, loop: LabelLoop, output: Output) -> None:
    runs = loop.task_runs(args.transform, task_type="LABELING_SET_GENERATION")
    output.items((run.json for run in runs), "id", (*RUN_COLUMNS, "outputS3Path"))


def get_set(args: Namespace, loop: LabelLoop, output: Output) -> None:
    output.item(loop.labeling_set(args.set).set.json, "id")


def list_runs(args: Namespace, loop: LabelLoop, output: Output) -> None:
    runs = loop.task_runs(args.transform, args.status, args.task_type)
    output.items((run.json for run in runs), "id", RUN_COLUMNS)


def get_run(args: Namespace, loop: LabelLoop, output: Output) -> None:
    output.item(loop.task_run(args.run).run.json, "id")


def cancel_run(args: Namespace, loop: LabelLoop, output: Output) -> None:
    output.item(loop.cancel(args.run).run.json, "id")


def wait_for_run(args: Namespace, loop: LabelLoop, output: Output) -> None:
    _wait(loop.task_run(args.run), args, output)


def import_labels(args: Namespace, loop: LabelLoop, output: Output) -> None:
    if args.export_to and not args.replace:
        raise UsageError("--export-to goes with --replace")
    path = args.file if args.file.startswith("s3://") else _upload(Path(args.file), args.upload_to, loop)
    run = loop.start_import(args.transform, path, args.key, replace_all_labels=args.replace, export_to=args.export_to)
    _finish(run, args, output)


def evaluate(args: Namespace, loop: LabelLoop, output: Output) -> None:
    _finish(loop.start_evaluation(args.transform, args.key), args, output)


def export_labels(args: Namespace, loop: LabelLoop, output: Output) -> None:
    _finish(loop.start_export(args.transform, args.output_s3_path, args.key), args, output)


def open_page(args: Namespace, loop: LabelLoop, output: Output) -> None:
    labels = _labels(args, loop)
    if args.print_url:
        print(loop.create_link(labels.set.id, labels.labeler, blind=args.blind).url)
        return
    link = labels.open(blind=args.blind)
    say(f"The page opens in your browser. Without one, open this link, which is for {link.labeler} alone:")
    output.item({"url": link.url}, "url")


def create_link(args: Namespace, loop: LabelLoop, output: Output) -> None:
    labeler = _labels(args, loop).labeler
    link = loop.create_link(
        args.set, labeler, expires_in_seconds=args.expires_in, may_import=not args.no_import, blind=args.blind
    )
    output.item(link.json, "url")


def list_links(args: Namespace, loop: LabelLoop, output: Output) -> None:
    output.items((link.json for link in loop.links(args.set)), "linkId", LINK_COLUMNS)


def revoke_link(args: Namespace, loop: LabelLoop, _output: Output) -> None:
    loop.revoke_link(args.set, args.link)
    say("The link is refused from now on. Answers that were saved with it are kept.")


def get_labels(args: Namespace, loop: LabelLoop, _output: Output) -> None:
    content = _labels(args, loop).csv(for_spreadsheet=args.purpose == "spreadsheet")
    if args.output:
        Path(args.output).write_bytes(content)
        say(f"written to {args.output}")
    else:
        sys.stdout.buffer.write(content)


def put_labels(args: Namespace, loop: LabelLoop, output: Output) -> None:
    output.item(_labels(args, loop).put_csv(_read(Path(args.file))).json, "taken")


def check_labels(args: Namespace, loop: LabelLoop, output: Output) -> None:
    check = _labels(args, loop).check()
    output.item(check.json, "ok")
    if not check.ok:
        raise LabelsNotFit(check.errors)


def submit_labels(args: Namespace, loop: LabelLoop, output: Output) -> None:
    _finish(_labels(args, loop).submit(), args, output)


def show_agreement(args: Namespace, loop: LabelLoop, output: Output) -> None:
    output.item(loop.agreement(args.set), "labelingSetId")
    if args.consensus_to:
        Path(args.consensus_to).write_bytes(loop.consensus(args.set))
        say(f"the labels on which they agree are written to {args.consensus_to}")


def doctor(_args: Namespace, loop: LabelLoop, output: Output) -> None:
    """Each line is a check that passed; the first that fails ends the command with its error."""
    say(f"ok  credentials: access key {loop.endpoint.credentials.access_key[:4]}…")
    description = loop.description()
    say(f"ok  the API answers: {description['info']['title']} {description['info']['version']}")
    next(loop.task_runs(), None)
    say("ok  task runs can be listed")
    has_page = any("/links" in path for path in description["paths"])
    say("ok  the labeling page is described" if has_page else "--  this deployment has no labeling page")
    output.item({"url": loop.endpoint.url, "region": loop.endpoint.region}, "url")


def explain(args: Namespace, _loop: LabelLoop | None, _output: Output) -> None:
    if args.topic == "exit-codes":
        for code, meaning in EXIT_CODES.items():
            print(f"{code:>3}  {meaning}")
    else:
        print("label-loop --help lists the commands; label-loop COMMAND --help explains one. Topics: exit-codes")


def _finish(run: RunHandle, args: Namespace, output: Output) -> None:
    """Show a run that was just started; with --wait, once it has ended."""
    if args.wait or args.timeout is not None:
        _wait(run, args, output)
    else:
        output.item(run.run.json, "id")


def _wait(run: RunHandle, args: Namespace, output: Output) -> None:
    def show(seen: TaskRun) -> None:
        reason = f" ({seen.waiting_for['message']})" if seen.waiting_for and seen.waiting_for.get("message") else ""
        say(f"{seen.id}  {seen.status}{reason}")

    timeout = DEFAULT_WAIT_SECONDS if args.timeout is None else args.timeout
    output.item(run.wait(timeout, show).json, "id")


def _labels(args: Namespace, loop: LabelLoop) -> Labels:
    try:
        return loop.labeling_set(args.set, args.labeler)
    except ServiceError as error:
        if error.status == _NOT_FOUND:
            raise LabelLoopError(f"{error} (looked for the labeling set {args.set})") from error
        raise


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error


def _upload(path: Path, folder: str | None, loop: LabelLoop) -> str:
    """Put a file of this machine into S3, under a name that its content gives; returns its S3 path."""
    content = _read(path)
    if folder is None:
        raise UsageError("a file of this machine needs --upload-to s3://bucket/folder, a folder that the service may read")
    url = urlsplit(folder)
    if url.scheme != "s3" or not url.netloc:
        raise UsageError(f"--upload-to must be of the form s3://bucket/folder, not {folder}")
    prefix = f"{url.path.strip('/')}/" if url.path.strip("/") else ""
    key = f"{prefix}{sha256(content).hexdigest()[:16]}.csv"
    try:
        loop.endpoint.aws_client("s3").put_object(Bucket=url.netloc, Key=key, Body=content, ContentType="text/csv")
    except (BotoCoreError, ClientError) as error:
        raise LabelLoopError(f"{path} could not be put to s3://{url.netloc}/{key}: {error}") from error
    return f"s3://{url.netloc}/{key}"
