"""`make demo`: the whole loop on real records, end to end, from nothing. Exit 0 only if every step did what it should."""

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
from local.demo.event_listener import EventListener, count_dead_letters, subscribe, unique_events
from local.demo.labeler import label_from_truth, label_interactively
from local.demo.rounds import (
    DemoContext,
    Score,
    download_labeling_set,
    evaluate,
    start_labeling_set_run,
    start_with_duplicates,
    upload_labels,
)
from local.sample_table import InvalidTable, Records, create_transform, load_febrl, read_csv, upload_table

ROUNDS = 3
EVENTS_PER_RUN = ("TaskRunStarted", "TaskRunSucceeded")


def run(records: Records, show: Reporter, folder: Path, rounds: int) -> None:
    """Raises StepFailed, CloudFailed, or botocore's errors."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    show.step("1. A cloud on this machine")
    with running_cloud(folder / "cloud") as cloud:
        stack = _deployed(cloud, show)
        listener = subscribe(stack)
        demo = _with_table(stack, records, show, folder)
        scores = [_round(demo, number) for number in range(1, rounds + 1)]
        show.step(f"{rounds + 3}. What labels buy")
        show.console.print(render_text(scores, show.console.width))
        save_png(scores, folder / "f1.png")
        _tell_events(demo, listener, 2 * rounds)
    _tell_where(folder, scores, show)


def _deployed(cloud: CloudProcess, show: Reporter) -> Stack:
    show.fact(f"runs at {cloud.endpoint}: AWS by MiniStack, Glue ML by local/glue")
    with show.doing("CloudFormation deploys template.yaml"):
        return deploy(cloud.endpoint)


def _with_table(stack: Stack, records: Records, show: Reporter, folder: Path) -> DemoContext:
    show.step("2. A table and its transform")
    upload_table(stack, records)
    known = f"; {records.true_pairs} true matches" if records.truth is not None else ""
    show.fact(f"{len(records.rows)} rows of {len(records.columns)} columns in S3 and the Data Catalog{known}")
    transform_id = create_transform(stack, records.primary_key)
    show.fact(f"FindMatches transform {transform_id}")
    region = stack.env["AWS_REGION"]
    credentials = Credentials(stack.env["AWS_ACCESS_KEY_ID"], stack.env["AWS_SECRET_ACCESS_KEY"])
    return DemoContext(stack, ApiClient(stack.api_url, region, credentials), show, records, transform_id, folder)


def _round(demo: DemoContext, number: int) -> Score:
    demo.show.step(f"{number + 2}. Round {number}")
    run_id = start_with_duplicates(demo) if number == 1 else start_labeling_set_run(demo, number)
    labeling_set = download_labeling_set(demo, run_id, number)
    truth = demo.records.truth
    if truth is None:
        answers = label_interactively(labeling_set, demo.show.console)
    else:
        answers = label_from_truth(labeling_set, demo.records.primary_key, truth)
        demo.show.fact(f"{len(answers.splitlines()) - 1} rows answered from the known truth")
    upload_labels(demo, answers, number)
    return evaluate(demo, number)


def _tell_events(demo: DemoContext, listener: EventListener, runs: int) -> None:
    show = demo.show
    show.step("Events that went out on the bus")
    heard: list[Mapping[str, Any]] = []

    def all_of_them() -> Sequence[Mapping[str, Any]] | None:
        heard.extend(listener.receive())
        events = unique_events(heard)
        return events if len(events) >= runs * len(EVENTS_PER_RUN) else None

    events = show.wait_for(f"{runs * len(EVENTS_PER_RUN)} events arrive", all_of_them, within_seconds=20)
    for event in sorted(events, key=lambda event: str(event["detail"]["metadata"]["occurredAt"])):
        data, told = event["detail"]["data"], event["detail"]["metadata"]
        show.fact(f"{told['occurredAt']}  {event['detail-type']:<17} {data['taskType']:<24} {data['id']}")
    by_run = sorted((event["detail"]["data"]["id"], event["detail-type"]) for event in events)
    ids = {run_id for run_id, _ in by_run}
    expected = sorted((run_id, kind) for run_id in ids for kind in EVENTS_PER_RUN)
    check(len(ids) == runs and by_run == expected, f"each of {runs} runs started and succeeded", by_run)
    (demo.folder / "events.json").write_text(json.dumps(events, indent=2))
    undelivered = count_dead_letters(demo.stack)
    check(not any(undelivered.values()), "empty dead-letter queues", undelivered)
    show.fact(f"dead-letter queues: all {len(undelivered)} empty")


def _tell_where(folder: Path, scores: Sequence[Score], show: Reporter) -> None:
    show.step("Where everything is")
    for name, what in {
        "f1.png": "the picture",
        "events.json": "the events",
        f"round-{len(scores)}-labels.csv": "the last answers (each round has its labeling set beside it)",
        f"round-{len(scores)}-matches.jsonl": "the table with its match_id",
        "cloud/log": "what the cloud logged",
    }.items():
        if (folder / name).exists():
            show.fact(f"{folder / name}  {what}")
    show.fact("The demo's cloud has stopped; `make up` starts one that stays.")


def main() -> int:
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--data", type=Path, help="a CSV file with a header; Febrl's made-up people if absent")
    parser.add_argument("--primary-key", help="the column that names each row")
    parser.add_argument("--truth", help="the column that names the real thing behind each row")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--folder", type=Path, default=ROOT / ".local" / "demo", help="cleared, then filled")
    asked = parser.parse_args()
    if (asked.data is None) != (asked.primary_key is None):
        parser.error("DATA and PRIMARY_KEY go together")
    console = Console(highlight=False, markup=False, soft_wrap=True)
    begun = time.monotonic()
    try:
        records = load_febrl() if asked.data is None else read_csv(asked.data, asked.primary_key, asked.truth)
        if records.truth is None and not sys.stdin.isatty():
            raise InvalidTable("Without a TRUTH column someone has to answer, and there is no terminal to ask in")  # noqa: TRY301 - told below
        run(records, Reporter(console), asked.folder, asked.rounds)
    except (StepFailed, CloudFailed, InvalidTable, ClientError, BotoCoreError, OSError) as failure:
        console.print(f"\nThe demo stopped: {failure}", style="bold red")
        return 1
    console.print(f"\nEvery step did what it should, in {time.monotonic() - begun:.0f} s.", style="bold green")
    return 0


if __name__ == "__main__":
    sys.exit(main())
