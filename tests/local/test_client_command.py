"""The installed client's command against the local cloud, from a shell."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from local.cloud.process import ROOT
from local.cloud.stack import Stack


@pytest.fixture
def env(stack: Stack) -> dict[str, str]:
    """An environment in which the local cloud is the only AWS."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    aws = {name: value for name, value in stack.env.items() if name.startswith("AWS_")}
    return own | aws | {"LABEL_LOOP_API": stack.api_url, "PYTHONPATH": str(ROOT / "client")}


def _label_loop(env: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "label_loop", *arguments]
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=180, check=False)  # noqa: S603 - our own command


def test_set_is_started_once_waited_for_and_listed(env: dict[str, str], transform_id: str) -> None:
    arguments = ["sets", "start", transform_id, "s3://label-loop-data/labeling-sets", "--key", "from-the-shell"]
    started = _label_loop(env, *arguments, "--quiet")
    assert started.returncode == 0, started.stderr
    again = _label_loop(env, *arguments, "--wait", "--json")
    assert again.returncode == 0, again.stderr
    run = json.loads(again.stdout)
    assert run["id"] == started.stdout.strip()
    assert run["status"] == "SUCCEEDED"
    assert again.stderr.splitlines()[-1] == f"{run['id']}  SUCCEEDED"

    listed = _label_loop(env, "sets", "list", "--transform", transform_id, "--quiet")
    assert run["id"] in listed.stdout.split()


def test_file_of_this_machine_is_put_into_s3_and_imported(env: dict[str, str], transform_id: str, tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("labeling_set_id,label,pk,name,street,phone\n1,A,nobody,x,y,z\n")
    refused = _label_loop(env, "import", transform_id, str(labels), "--upload-to", "s3://label-loop-data/imports", "--wait")
    assert refused.returncode == 1
    assert "Traceback" not in refused.stderr
    listed = _label_loop(env, "runs", "list", "--transform", transform_id, "--type", "IMPORT_LABELS", "--json")
    paths = [run["inputS3Path"] for run in json.loads(listed.stdout)["items"]]
    assert any(path.startswith("s3://label-loop-data/imports/") for path in paths)


def test_path_outside_the_allowed_prefixes_is_refused_by_name(env: dict[str, str], transform_id: str) -> None:
    refused = _label_loop(env, "sets", "start", transform_id, "s3://elsewhere/sets")
    assert refused.returncode == 1
    assert "outputS3Path" in refused.stderr


def test_doctor_checks_endpoint_credentials_and_rights(env: dict[str, str]) -> None:
    completed = _label_loop(env, "doctor")
    assert completed.returncode == 0, completed.stderr
    assert [line[:2] for line in completed.stderr.splitlines()][:3] == ["ok", "ok", "ok"]


def test_missing_credentials_end_with_code_4(env: dict[str, str]) -> None:
    without = {name: value for name, value in env.items() if name not in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    completed = _label_loop(without | {"AWS_EC2_METADATA_DISABLED": "true", "AWS_REGION": "us-east-1"}, "runs", "list")
    assert completed.returncode == 4
    assert "aws configure" in completed.stderr


def test_readme_commands_run(env: dict[str, str], transform_id: str, tmp_path: Path) -> None:
    (commands,) = re.findall(r"```bash\n(.*?)```", (ROOT / "client" / "README.md").read_text(), flags=re.DOTALL)
    shim = tmp_path / "label-loop"
    shim.write_text(f'#!/bin/sh\nexec {sys.executable} -m label_loop "$@"\n')
    shim.chmod(0o755)
    environment = env | {"TRANSFORM": transform_id, "PATH": f"{tmp_path}:{env['PATH']}"}
    completed = subprocess.run(  # noqa: S603 - our own README
        ["/bin/bash", "-euo", "pipefail", "-c", commands],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    assert "LABELING_SET_GENERATION" in completed.stdout


def test_set_is_labeled_checked_and_submitted_from_the_shell(env: dict[str, str], transform_id: str, tmp_path: Path) -> None:
    started = _label_loop(env, "sets", "start", transform_id, "s3://label-loop-data/labeling-sets", "--wait", "--quiet")
    assert started.returncode == 0, started.stderr
    set_id = started.stdout.strip()
    assert json.loads(_label_loop(env, "sets", "get", set_id, "--json").stdout)["status"] == "READY"
    link = _label_loop(env, "label", set_id, "--as", "ann", "--print-url").stdout.strip()
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\S+/label#s=[0-9a-f]{32}&t=\S+", link)

    copy = tmp_path / "questions.csv"
    assert _label_loop(env, "get", set_id, "--as", "ann", "--for", "spreadsheet", "-o", str(copy)).returncode == 0
    header, *lines = copy.read_text(encoding="utf-8-sig").splitlines()
    filled = [f"{line.split(',')[0]},same,{line.split(',', 2)[2]}" for line in lines]
    copy.write_text("\n".join([header, *filled]) + "\n")
    put = _label_loop(env, "put", set_id, str(copy), "--as", "ann", "--json")
    assert put.returncode == 0, put.stderr
    assert json.loads(put.stdout)["taken"] == len(lines)
    assert json.loads(_label_loop(env, "check", set_id, "--as", "ann", "--json").stdout)["rows"] == len(lines)
    nothing = _label_loop(env, "check", set_id, "--as", "ben")
    assert nothing.returncode == 3, nothing.stderr

    submitted = _label_loop(env, "submit", set_id, "--as", "ann", "--wait", "--json")
    assert submitted.returncode == 0, submitted.stderr
    assert json.loads(submitted.stdout)["labelingSetId"] == set_id
    links = json.loads(_label_loop(env, "links", "list", set_id, "--json").stdout)["items"]
    assert "ann" in {each["labeler"] for each in links}
    revoked = _label_loop(env, "links", "revoke", set_id, links[0]["linkId"])
    assert revoked.returncode == 0, revoked.stderr
