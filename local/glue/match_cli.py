"""`python -m local.glue.match_cli`: start a FIND_MATCHES task run on the Glue emulator and wait until it ends.

In AWS a Glue job does this with the FindMatches (or FindIncrementalMatches) transform.
"""

import argparse
import json
import sys
import time
import urllib.error
import urllib.request
from typing import Any

import boto3
from botocore import UNSIGNED
from botocore.config import Config

POLL_SECONDS = 0.5


def main() -> int:
    """Exit code 0 when the run SUCCEEDED, 1 when it ended otherwise, 2 when it was refused."""
    args = _arguments()
    body = {
        "TransformId": args.transform_id,
        "OutputS3Path": args.output,
        "Format": args.format,
        "KnownMatchesS3Path": args.known or "",
        "ComputeMatchConfidenceScores": not args.no_confidence,
    }
    try:
        run_id = _start(args.endpoint_url, body)
    except urllib.error.HTTPError as error:
        sys.stderr.write(f"Refused: {error.read().decode()}\n")
        return 2
    run = _await_end(args.endpoint_url, args.region, args.transform_id, run_id)
    sys.stdout.write(json.dumps(run, default=str, indent=2) + "\n")
    return 0 if run["Status"] == "SUCCEEDED" else 1


def _start(endpoint_url: str, body: dict[str, str | bool]) -> str:
    request = urllib.request.Request(  # noqa: S310 - the person at the terminal chose the URL
        f"{endpoint_url.rstrip('/')}/_glue/match-runs", json.dumps(body).encode(), method="POST"
    )
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310 - see above
        return str(json.load(response)["TaskRunId"])


def _await_end(endpoint_url: str, region: str, transform_id: str, run_id: str) -> dict[str, Any]:
    # The emulator checks no signature, so unsigned requests do and need no credentials.
    glue = boto3.client("glue", endpoint_url=endpoint_url, region_name=region, config=Config(signature_version=UNSIGNED))
    try:
        while True:
            run: dict[str, Any] = {**glue.get_ml_task_run(TransformId=transform_id, TaskRunId=run_id)}
            if run["Status"] not in ("STARTING", "RUNNING", "STOPPING"):
                run.pop("ResponseMetadata")
                return run
            time.sleep(POLL_SECONDS)
    finally:
        glue.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.glue.match_cli", description=__doc__)
    parser.add_argument("--endpoint-url", required=True, help="URL of the Glue emulator")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--transform-id", required=True)
    parser.add_argument("--output", required=True, help="s3://bucket/prefix/ for the matched table")
    parser.add_argument("--format", choices=("csv", "json", "parquet"), default="csv")
    parser.add_argument("--known", help="s3:// object or prefix of an earlier output whose match ids are kept")
    parser.add_argument("--no-confidence", action="store_true", help="leave out the column match_confidence_score")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
