"""The commands of the README work as written."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from local.cloud.process import ROOT
from local.cloud.stack import Stack
from tests.json_output import json_documents
from tests.local.helpers import TIMEOUT_SECONDS

README = (ROOT / "README.md").read_text()


@pytest.fixture
def clone(tmp_path: Path, stack: Stack) -> Path:
    """A folder of links to the project, whose .local/stack.json is that of the tests' cloud."""
    for entry in ROOT.iterdir():
        if entry.name not in (".local", ".git"):
            (tmp_path / entry.name).symlink_to(entry)
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local" / "stack.json").write_text(stack.as_json())
    return tmp_path


def readme_commands() -> str:
    (block,) = re.findall(r"<!-- run by tests/local/test_readme.py -->\n```bash\n(.*?)```", README, flags=re.DOTALL)
    return str(block)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the README's commands need curl")
def test_readme_commands_work_as_written(clone: Path) -> None:
    lines = [line for line in readme_commands().splitlines() if not line.startswith("make up")]
    # The Makefile is a link, so `make sample` would look for the project's own stack.json.
    script = "\n".join(lines).replace("$(make sample)", '$(PYTHONPATH="$PWD/src:$PWD" .venv/bin/python -m local.sample .local)')
    completed = subprocess.run(  # noqa: S603 - the README's own commands
        ["bash", "-euo", "pipefail", "-c", script],  # noqa: S607 - any bash
        cwd=clone,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    assert completed.returncode == 0, completed.stderr
    first, second, listed, refused, document = json_documents(completed.stdout)
    assert first["status"] in ("STARTING", "RUNNING", "SUCCEEDED")
    assert second["id"] == first["id"]
    assert "idempotency-replayed: true" in completed.stdout.lower()
    assert listed["items"][0]["id"] == first["id"]
    assert (refused["status"], refused["errors"][0]["pointer"]) == (422, "#/inputS3Path")
    assert document["openapi"].startswith("3.1")


def test_every_make_target_is_described_by_make_help() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    descriptions = re.findall(r"^([a-z-]+):.*## (.+)$", makefile, flags=re.MULTILINE)
    assert targets == {name for name, _ in descriptions}


@pytest.mark.parametrize("page", ["README.md", *(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))])
def test_links_between_pages_resolve(page: str) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", (ROOT / page).read_text())
    missing = [link for link in links if not (ROOT / page).parent.joinpath(link).exists()]
    assert missing == []
