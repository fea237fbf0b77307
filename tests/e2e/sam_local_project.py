"""The project in a folder of its own, where docs/sam-local.md is followed by the letter."""

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
from local.cloud.sam_local import LABEL_FILES, TRANSFORM
from local.cloud.stack import Stack
from local.demo.event_listener import EventListener, subscribe
from local.demo.rounds import FINAL_STATUSES
from tests.component.samples import FUNCTIONS, sample

PAGE = ROOT / "docs" / "sam-local.md"
ENVIRONMENTS = (".venv", ".venv-sam")
LEFT_OUT = (".*", "__pycache__", "bench", "tests")
# The two environments are there; a test in a copy of the project must never make them anew.
MAKE = "make " + " ".join(f"-o {one}/ready" for one in ENVIRONMENTS)
BUILD_SECONDS = 400
PATIENCE_SECONDS = 240


def lines(title: str) -> str:
    """The block of the page that begins with `# title`."""
    blocks = re.findall(r"```bash\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)
    (found,) = [str(block) for block in blocks if block.startswith(f"# {title}\n")]
    return found


def copy_project(folder: Path) -> None:
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*LEFT_OUT), dirs_exist_ok=True)
    for name in ENVIRONMENTS:
        (folder / name).symlink_to(ROOT / name)


@dataclass(frozen=True)
class Laptop:
    """`folder` holds a copy of the project; `set_up` has to come first."""

    folder: Path

    def set_up(self, built: Path) -> None:
        """The page's first block; what another copy of the project has `built` is taken over, else left there."""
        block = lines("setup").replace("make sam-cloud", f"{MAKE} sam-cloud")
        if built.exists():
            shutil.copytree(built, self.folder / ".aws-sam", symlinks=True)
            block = "\n".join(line for line in block.splitlines() if not line.startswith("sam build "))
        done = self.shell(block, BUILD_SECONDS)
        assert done.returncode == 0, done.stdout + done.stderr
        if not built.exists():
            self.invoke("api-openapi")  # makes the image that all invocations share
            shutil.copytree(self.folder / ".aws-sam", built, symlinks=True)

    def tear_down(self) -> None:
        self.shell(f"{MAKE} down", PATIENCE_SECONDS)

    def follow(self, script: str, seconds: float) -> subprocess.CompletedProcess[str]:
        """`script` as a person would type it after the set-up."""
        settings = [line for line in lines("setup").splitlines() if not line.startswith(("make ", "sam build "))]
        return self.shell("\n".join([*settings, script]), seconds)

    def shell(self, script: str, seconds: float) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - the page's own lines
            ["bash", "-euo", "pipefail", "-c", script],  # noqa: S607 - any bash
            cwd=self.folder,
            env={name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTEST_"))},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def invoke(self, name: str) -> Any:  # noqa: ANN401 - what a function answers with
        """The function's answer to a sample, from a new container, by the page's line."""
        line = lines("invoke").replace("ApiFunction", FUNCTIONS[name.partition("-")[0]])
        line = re.sub(r"events/\S+", f"events/{shlex.quote(name)}.json", line)
        done = self.follow(line, PATIENCE_SECONDS)
        assert done.returncode == 0, done.stderr
        answer = json.loads(done.stdout.strip().splitlines()[-1])
        assert not (isinstance(answer, dict) and "errorType" in answer), done.stdout + done.stderr
        return answer

    @cached_property
    def stack(self) -> Stack:
        return Stack.from_json((self.folder / ".local" / "stack.json").read_text())

    @cached_property
    def listener(self) -> EventListener:
        return subscribe(self.stack, "e2e")

    def deployed(self, name: str) -> None:
        """Let the local cloud's own copy of the function take a sample: what has to come first needs no container."""
        function = self.stack.outputs[f"{FUNCTIONS[name.partition('-')[0]]}Name"]
        told = self.stack.client("lambda").invoke(FunctionName=function, Payload=json.dumps(sample(name)).encode())
        assert "FunctionError" not in told, told["Payload"].read()

    def keep_still(self) -> None:
        """Hold Glue's runs in STARTING, and let nobody but the containers announce: what is seen then comes from them."""
        self._let_uploads_be_taken()
        held = json.dumps({"holdRuns": True}).encode()
        address = f"{self.stack.glue_endpoint_url}/_glue/faults"
        with urllib.request.urlopen(urllib.request.Request(address, held, method="PUT"), timeout=10):  # noqa: S310 - our own cloud
            pass
        functions = self.stack.client("lambda")
        for one in functions.list_event_source_mappings()["EventSourceMappings"]:
            functions.delete_event_source_mapping(UUID=one["UUID"])

    def _let_uploads_be_taken(self) -> None:
        """The set-up's label files start imports by way of the bus, some time after they were put there."""
        until = time.monotonic() + PATIENCE_SECONDS
        while sum(item["status"] != Status.RESERVED for item in self.items()) < len(LABEL_FILES):
            assert time.monotonic() < until, self.items()
            time.sleep(0.1)

    def forget(self) -> None:
        """An empty ledger, no run under way in Glue, nothing unheard on the bus."""
        dynamodb, glue = self.stack.client("dynamodb"), self.stack.client("glue")
        table = self.stack.env["LEDGER_TABLE"]
        for item in dynamodb.scan(TableName=table)["Items"]:
            dynamodb.delete_item(TableName=table, Key={"id": item["id"]})
        until = time.monotonic() + PATIENCE_SECONDS
        while under_way := [run for run in self.glue_runs() if run["Status"] not in FINAL_STATUSES]:
            assert time.monotonic() < until, under_way
            for run in (one for one in under_way if one["Status"] != "STOPPING"):
                glue.cancel_ml_task_run(TransformId=TRANSFORM, TaskRunId=run["TaskRunId"])
            time.sleep(0.1)
        self.listener.receive()

    def glue_runs(self) -> list[Mapping[str, Any]]:
        found: list[Mapping[str, Any]] = self.stack.client("glue").get_ml_task_runs(TransformId=TRANSFORM, MaxResults=1000)[
            "TaskRuns"
        ]
        return found

    def known_to_glue(self) -> set[str]:
        return {run["TaskRunId"] for run in self.glue_runs()}

    def new_in_glue(self, known: set[str]) -> list[str]:
        """The statuses of the runs that Glue did not know before."""
        return [run["Status"] for run in self.glue_runs() if run["TaskRunId"] not in known]

    def items(self) -> list[dict[str, str]]:
        """The ledger's runs, as plain values."""
        found = self.stack.client("dynamodb").scan(TableName=self.stack.env["LEDGER_TABLE"])["Items"]
        return [{name: next(iter(value.values())) for name, value in item.items()} for item in found if "kind" in item]

    def events(self, count: int) -> list[str]:
        """The detail-types that went out on the bus since `forget`, sorted; waits until there are `count`."""
        heard: list[str] = []
        until = time.monotonic() + PATIENCE_SECONDS
        while True:
            heard += [str(event["detail-type"]) for event in self.listener.receive()]
            if len(heard) >= count or time.monotonic() > until:
                return sorted(heard)
            time.sleep(0.1)
