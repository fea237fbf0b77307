"""A copy of the project in which the commands of docs/sam-local.md are run as written."""

import json
import os
import re
import shlex
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from core.runs import Status
from local.cloud.process import ROOT
from local.cloud.sam_local import TRANSFORM, UPLOADS
from local.cloud.stack import Stack
from local.demo.event_listener import EventListener, subscribe
from local.demo.rounds import FINAL_STATUSES
from tests.component.sample_events import FUNCTIONS, sample

PAGE = ROOT / "docs" / "sam-local.md"
ENVIRONMENTS = (".venv", ".venv-sam")
NOT_COPIED = (".*", "__pycache__", "bench", "tests")
# Never rebuild the environments: they are links to those of the original.
MAKE = "make " + " ".join(f"-o {environment}/ready" for environment in ENVIRONMENTS)
BUILD_TIMEOUT_SECONDS = 400
TIMEOUT_SECONDS = 240
REQUEST_TIMEOUT_SECONDS = 10
POLL_SECONDS = 0.1
MAX_RUNS = 1000


def commands(title: str) -> str:
    """The code block of the page that begins with `# title`."""
    blocks = re.findall(r"```bash\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    (block,) = [str(block) for block in blocks if block.startswith(f"# {title}\n")]
    return block


def copy_project(folder: Path) -> None:
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*NOT_COPIED), dirs_exist_ok=True)
    for name in ENVIRONMENTS:
        (folder / name).symlink_to(ROOT / name)


@dataclass(frozen=True)
class SamLocalProject:
    """A copy of the project in `folder`. Call `set_up` first."""

    folder: Path

    def set_up(self, shared_build: Path) -> None:
        """Run the page's first block. The build is copied from `shared_build`, or to it if it does not exist yet."""
        block = commands("setup").replace("make sam-cloud", f"{MAKE} sam-cloud")
        if shared_build.exists():
            shutil.copytree(shared_build, self.folder / ".aws-sam", symlinks=True)
            block = "\n".join(line for line in block.splitlines() if not line.startswith("sam build "))
        completed = self.shell(block, BUILD_TIMEOUT_SECONDS)
        assert completed.returncode == 0, completed.stdout + completed.stderr
        if not shared_build.exists():
            self.invoke("api-openapi")  # builds the image that all invocations share
            shutil.copytree(self.folder / ".aws-sam", shared_build, symlinks=True)

    def tear_down(self) -> None:
        self.shell(f"{MAKE} down", TIMEOUT_SECONDS)

    def run(self, script: str, timeout_seconds: float) -> subprocess.CompletedProcess[str]:
        """Run the script with the environment variables of the page's first block."""
        exports = [line for line in commands("setup").splitlines() if not line.startswith(("make ", "sam build "))]
        return self.shell("\n".join([*exports, script]), timeout_seconds)

    def shell(self, script: str, timeout_seconds: float) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - the page's own commands
            ["bash", "-euo", "pipefail", "-c", script],  # noqa: S607 - any bash
            cwd=self.folder,
            env={name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTEST_"))},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_seconds,
            check=False,
        )

    def invoke(self, name: str) -> Any:  # noqa: ANN401 - any JSON
        """The function's response to a sample event, from a new container, by the page's command."""
        command = commands("invoke").replace("ApiFunction", FUNCTIONS[name.partition("-")[0]])
        command = re.sub(r"events/\S+", f"events/{shlex.quote(name)}.json", command)
        completed = self.run(command, TIMEOUT_SECONDS)
        assert completed.returncode == 0, completed.stderr
        response = json.loads(completed.stdout.strip().splitlines()[-1])
        assert not (isinstance(response, dict) and "errorType" in response), completed.stdout + completed.stderr
        return response

    @cached_property
    def stack(self) -> Stack:
        return Stack.from_json((self.folder / ".local" / "stack.json").read_text())

    @cached_property
    def listener(self) -> EventListener:
        return subscribe(self.stack, "e2e")

    def invoke_deployed(self, name: str) -> None:
        """Send a sample event to the function that is deployed in the local cloud, to prepare a test without a container."""
        function = self.stack.outputs[f"{FUNCTIONS[name.partition('-')[0]]}Name"]
        response = self.stack.client("lambda").invoke(FunctionName=function, Payload=json.dumps(sample(name)).encode())
        assert "FunctionError" not in response, response["Payload"].read()

    def disable_triggers(self) -> None:
        """Hold Glue's runs in STARTING and disable the stream, so that every change comes from a container."""
        self._wait_for_uploads()
        body = json.dumps({"holdRuns": True}).encode()
        url = f"{self.stack.glue_endpoint_url}/_glue/faults"
        with urllib.request.urlopen(urllib.request.Request(url, body, method="PUT"), timeout=REQUEST_TIMEOUT_SECONDS):  # noqa: S310 - our own cloud
            pass
        lambda_client = self.stack.client("lambda")
        for mapping in lambda_client.list_event_source_mappings()["EventSourceMappings"]:
            lambda_client.delete_event_source_mapping(UUID=mapping["UUID"])

    def _wait_for_uploads(self) -> None:
        """Wait until the label files that `make sam-cloud` uploaded have started their imports."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while sum(item["status"] != Status.RESERVED for item in self.items()) < len(UPLOADS):
            assert time.monotonic() < deadline, self.items()
            time.sleep(POLL_SECONDS)

    def reset(self) -> None:
        """Empty the ledger, cancel the open runs in Glue, and read all published events."""
        dynamodb, glue = self.stack.client("dynamodb"), self.stack.client("glue")
        table = self.stack.env["LEDGER_TABLE"]
        for item in dynamodb.scan(TableName=table)["Items"]:
            dynamodb.delete_item(TableName=table, Key={"id": item["id"]})
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while open_runs := [run for run in self.glue_runs() if run["Status"] not in FINAL_STATUSES]:
            assert time.monotonic() < deadline, open_runs
            for run in (run for run in open_runs if run["Status"] != "STOPPING"):
                glue.cancel_ml_task_run(TransformId=TRANSFORM, TaskRunId=run["TaskRunId"])
            time.sleep(POLL_SECONDS)
        self.listener.receive()

    def glue_runs(self) -> list[Mapping[str, Any]]:
        glue = self.stack.client("glue")
        runs: list[Mapping[str, Any]] = glue.get_ml_task_runs(TransformId=TRANSFORM, MaxResults=MAX_RUNS)["TaskRuns"]
        return runs

    def glue_run_ids(self) -> set[str]:
        return {run["TaskRunId"] for run in self.glue_runs()}

    def new_statuses(self, earlier_ids: set[str]) -> list[str]:
        """The statuses of the Glue runs whose ids are not in `earlier_ids`."""
        return [run["Status"] for run in self.glue_runs() if run["TaskRunId"] not in earlier_ids]

    def items(self) -> list[dict[str, str]]:
        """The ledger's runs, as plain values."""
        items = self.stack.client("dynamodb").scan(TableName=self.stack.env["LEDGER_TABLE"])["Items"]
        return [{name: next(iter(value.values())) for name, value in item.items()} for item in items if "kind" in item]

    def events(self, count: int) -> list[str]:
        """The detail-types published since `reset`, sorted; waits until there are `count`."""
        types: list[str] = []
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while True:
            types += [str(event["detail-type"]) for event in self.listener.receive()]
            if len(types) >= count or time.monotonic() > deadline:
                return sorted(types)
            time.sleep(POLL_SECONDS)
