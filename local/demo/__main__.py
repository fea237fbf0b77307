"""`make demo`: the whole labeling loop on real records, from nothing. Exits with 0 only if every step had the right result."""

import argparse
import json
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console

from label_loop.api import ApiClient
from local.cloud.process import ROOT, CloudFailed, CloudProcess, running_cloud
from local.cloud.stack import Stack, deploy
from local.demo.charts import render_text, save_png
from local.demo.console import Reporter, StepFailed, check
from local.demo.context import DemoContext
from local.demo.event_listener import EventListener, count_dead_letters, subscribe, unique_events
from local.demo.labeler import label_from_truth, label_interactively
from local.demo.rounds import (
    Score,
    download_labeling_set,
    evaluate,
    export_labels,
    start_labeling_set_run,
    start_with_duplicates,
    upload_labels,
)
from local.sample_table import InvalidTable, Records, create_transform, load_febrl, read_csv, upload_table

DEFAULT_ROUNDS = 3
RUNS_PER_ROUND = 3  # one generates the labeling set, one imports the labels, one evaluates the transform
RUNS_AFTERWARDS = 1  # exports the labels
EVENTS_PER_RUN = ("TaskRunStarted", "TaskRunSucceeded")
EVENTS_TIMEOUT_SECONDS = 20


def run(records: Records, reporter: Reporter, folder: Path, rounds: int) -> None:
    """Raises StepFailed, CloudFailed, or botocore's errors."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    reporter.step("1. A local cloud")
    with running_cloud(folder / "cloud") as cloud:
        stack = _deploy(cloud, reporter)
        listener = subscribe(stack)
        demo = _create_transform(stack, records, reporter, folder)
        scores = [_run_round(demo, number) for number in range(1, rounds + 1)]
        reporter.step(f"{rounds + 3}. F1 by number of labels")
        reporter.console.print(render_text(scores, reporter.console.width))
        save_png(scores, folder / "f1.png")
        reporter.step("Export of the labels")
        export_labels(demo, scores[-1].labels)
        _report_events(demo, listener, RUNS_PER_ROUND * rounds + RUNS_AFTERWARDS)
    _report_files(folder, len(scores), reporter)


def _deploy(cloud: CloudProcess, reporter: Reporter) -> Stack:
    reporter.detail(f"running at {cloud.endpoint}: AWS by MiniStack, Glue ML by local/glue")
    with reporter.timed("CloudFormation deploys template.yaml"):
        return deploy(cloud.endpoint)


def _create_transform(stack: Stack, records: Records, reporter: Reporter, folder: Path) -> DemoContext:
    reporter.step("2. A table and its transform")
    upload_table(stack, records)
    matches = f"; {records.true_pairs} true matches" if records.truth is not None else ""
    reporter.detail(f"{len(records.rows)} rows of {len(records.columns)} columns in S3 and the Data Catalog{matches}")
    transform_id = create_transform(stack, records.primary_key)
    reporter.detail(f"FindMatches transform {transform_id}")
    credentials = Credentials(stack.env["AWS_ACCESS_KEY_ID"], stack.env["AWS_SECRET_ACCESS_KEY"])
    api = ApiClient(stack.api_url, stack.env["AWS_REGION"], credentials)
    return DemoContext(stack, api, reporter, records, transform_id, folder)


def _run_round(demo: DemoContext, number: int) -> Score:
    demo.reporter.step(f"{number + 2}. Round {number}")
    run_id = start_with_duplicates(demo) if number == 1 else start_labeling_set_run(demo, number)
    labeling_set = download_labeling_set(demo, run_id, number)
    truth = demo.records.truth
    if truth is None:
        labels = label_interactively(labeling_set, demo.reporter.console)
    else:
        labels = label_from_truth(labeling_set, demo.records.primary_key, truth)
        demo.reporter.detail(f"{len(labels.splitlines()) - 1} rows labeled from the known truth")
    upload_labels(demo, labels, number)
    return evaluate(demo, number)


def _report_events(demo: DemoContext, listener: EventListener, run_count: int) -> None:
    reporter = demo.reporter
    reporter.step("Published events")
    received: list[Mapping[str, Any]] = []
    expected_count = run_count * len(EVENTS_PER_RUN)

    def receive_all() -> Sequence[Mapping[str, Any]] | None:
        received.extend(listener.receive())
        events = unique_events(received)
        return events if len(events) >= expected_count else None

    events = reporter.wait_for(f"{expected_count} events arrive", receive_all, EVENTS_TIMEOUT_SECONDS)
    for event in sorted(events, key=lambda event: str(event["detail"]["metadata"]["occurredAt"])):
        data, metadata = event["detail"]["data"], event["detail"]["metadata"]
        reporter.detail(f"{metadata['occurredAt']}  {event['detail-type']:<17} {data['taskType']:<24} {data['id']}")
    published = sorted((event["detail"]["data"]["id"], event["detail-type"]) for event in events)
    run_ids = {run_id for run_id, _ in published}
    expected = sorted((run_id, event_type) for run_id in run_ids for event_type in EVENTS_PER_RUN)
    check(len(run_ids) == run_count and published == expected, f"each of {run_count} runs started and succeeded", published)
    (demo.folder / "events.json").write_text(json.dumps(events, indent=2))
    dead_letters = count_dead_letters(demo.stack)
    check(not any(dead_letters.values()), "empty dead-letter queues", dead_letters)
    reporter.detail(f"dead-letter queues: all {len(dead_letters)} empty")


def _report_files(folder: Path, rounds: int, reporter: Reporter) -> None:
    reporter.step("Output files")
    for name, description in {
        "f1.png": "F1 by number of labels",
        "events.json": "the published events",
        "labels.csv": "all labels, as exported",
        f"round-{rounds}-labels.csv": "the labels of the last round (each round has a labeling set and labels)",
        f"round-{rounds}-matches.jsonl": "the table with its match_id",
        "cloud/log": "the log of the local cloud",
    }.items():
        if (folder / name).exists():
            reporter.detail(f"{folder / name}  {description}")
    reporter.detail("The demo's local cloud has stopped. `make up` starts one that stays.")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--data", type=Path, help="a CSV file with a header; default: Febrl's synthetic people")
    parser.add_argument("--primary-key", help="the column that identifies each row")
    parser.add_argument("--truth", help="the column that identifies the entity that a row describes")
    parser.add_argument("--rounds", type=int, default=DEFAULT_ROUNDS)
    parser.add_argument("--folder", type=Path, default=ROOT / ".local" / "demo", help="output folder; cleared first")
    args = parser.parse_args()
    if (args.data is None) != (args.primary_key is None):
        parser.error("DATA and PRIMARY_KEY must be given together")
    console = Console(highlight=False, markup=False, soft_wrap=True)
    started = time.monotonic()
    try:
        records = load_febrl() if args.data is None else read_csv(args.data, args.primary_key, args.truth)
        if records.truth is None and not sys.stdin.isatty():
            raise InvalidTable("Without a TRUTH column a person must label, which needs a terminal")  # noqa: TRY301 - printed below
        run(records, Reporter(console), args.folder, args.rounds)
    except (StepFailed, CloudFailed, InvalidTable, ClientError, BotoCoreError, OSError) as error:
        console.print(f"\nThe demo failed: {error}", style="bold red")
        return 1
    console.print(f"\nEvery step succeeded, in {time.monotonic() - started:.0f} s.", style="bold green")
    return 0


if __name__ == "__main__":
    sys.exit(main())
