"""`make sam-cloud`: a local cloud that `sam local`'s containers can reach, with the transform and files of events/."""

import csv
import io
import ipaddress
import json
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from local.cloud.lifecycle import STATE_FOLDER, up
from local.cloud.process import CloudFailed
from local.cloud.stack import DATA_BUCKET, Stack
from local.glue.aws import MemoryCatalog
from local.glue.store import Store
from local.glue.transforms import new_transform_document
from local.sample_table import DATABASE, TABLE, Records, load_febrl, upload_table

TRANSFORM = "tfm-0123456789abcdef0123456789abcdef01234567"
LABEL_FILES = (
    f"labels/{TRANSFORM}/round-1.csv",
    f"labels/{TRANSFORM}/2026/11/round-1.CSV",
    f"team-a/labels/{TRANSFORM}/round 2, äöü.csv",
)
LOCK_FILE = f"labels/{TRANSFORM}/~$round-1.csv"  # Excel writes one beside a file that is open
UPLOADS = (*LABEL_FILES, LOCK_FILE)
HOST_FROM_CONTAINER = "host.docker.internal"
DOCKER_TIMEOUT_SECONDS = 20


def sam_cloud(folder: Path) -> None:
    """Start the local cloud for containers, or use the running one; write `folder`/env.json. Raises CloudFailed."""
    bridge = bridge_address()
    records = load_febrl()
    up(folder, [bridge] if bridge else [], prepare=lambda cloud: add_transform(cloud / "glue", records))
    stack = Stack.from_json((folder / "stack.json").read_text())
    _check_started_for_containers(stack, bridge)
    put_files(stack, records)
    (folder / "env.json").write_text(json.dumps({"Parameters": environment(stack)}, indent=2) + "\n")


def bridge_address() -> str | None:
    """This machine's address on Docker's bridge; None where containers reach 127.0.0.1 (Docker Desktop). Raises CloudFailed."""
    command = ["docker", "network", "inspect", "bridge", "--format", "{{json .IPAM.Config}}"]
    try:
        inspected = subprocess.run(command, capture_output=True, text=True, timeout=DOCKER_TIMEOUT_SECONDS, check=True)
        network = json.loads(inspected.stdout)[0]
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
        raise CloudFailed(f"sam local needs Docker, which does not respond: {error}") from error
    # Older Docker engines do not report the bridge's gateway; it is the first address of the subnet.
    address = network.get("Gateway") or str(ipaddress.ip_network(network["Subnet"])[1])
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return None
    return address


def add_transform(state: Path, records: Records) -> None:
    """Add the samples' transform to the Glue emulator's store before it starts: CreateMLTransform cannot set the id."""
    columns = [{"Name": name, "Type": "string"} for name in records.columns]
    catalog = MemoryCatalog({(DATABASE, TABLE): {"Name": TABLE, "StorageDescriptor": {"Columns": columns}}})
    request: dict[str, Any] = {
        "Name": "samples",
        "Role": "arn:aws:iam::000000000000:role/glue",
        "InputRecordTables": [{"DatabaseName": DATABASE, "TableName": TABLE}],
        "Parameters": {
            "TransformType": "FIND_MATCHES",
            "FindMatchesParameters": {"PrimaryKeyColumnName": records.primary_key},
        },
    }
    store = Store(state)
    try:
        store.transforms.add(TRANSFORM, new_transform_document(TRANSFORM, request, catalog, time.time()), {})
    finally:
        store.close()


def put_files(stack: Stack, records: Records) -> None:
    """Upload the transform's table, and the label files that the samples name."""
    with suppress(stack.client("glue").exceptions.AlreadyExistsException):  # `make sample` has created it
        upload_table(stack, records)
    for key in LABEL_FILES:
        stack.client("s3").put_object(Bucket=DATA_BUCKET, Key=key, Body=label_file(records))
    stack.client("s3").put_object(Bucket=DATA_BUCKET, Key=LOCK_FILE, Body=b"\x05alice")


def label_file(records: Records) -> bytes:
    """Two labeling sets of two rows each, labeled with the known truth."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["labeling_set_id", "label", *records.columns])
    for number, row in enumerate(records.rows[:4]):
        person = (records.truth or {})[str(row[records.primary_key])]
        writer.writerow([f"set-{number // 2}", person, *(row[name] or "" for name in records.columns)])
    return text.getvalue().encode()


def environment(stack: Stack) -> Mapping[str, str]:
    """The functions' environment variables for `sam local --env-vars`, which sets only those that template.yaml declares."""
    port = urlsplit(stack.aws_endpoint_url).port
    variables = {name: value for name, value in stack.env.items() if not name.startswith("AWS_")}
    return variables | {"AWS_ENDPOINT_URL": f"http://{HOST_FROM_CONTAINER}:{port}"}


def _check_started_for_containers(stack: Stack, bridge: str | None) -> None:
    glue = stack.client("glue")
    try:
        with socket.create_connection((bridge or "127.0.0.1", urlsplit(stack.aws_endpoint_url).port or 0), timeout=5):
            glue.get_ml_transform(TransformId=TRANSFORM)
    except (OSError, glue.exceptions.EntityNotFoundException) as error:
        raise CloudFailed("The running local cloud was not started by `make sam-cloud`. Run `make down` first.") from error


def main() -> int:
    try:
        sam_cloud(STATE_FOLDER)
    except CloudFailed as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"  for sam local {STATE_FOLDER / 'env.json'}   (docs/sam-local.md)\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
