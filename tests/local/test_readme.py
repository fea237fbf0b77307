"""The README's walk-through does what it says, line by line as a person would type it."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from local.cloud.process import ROOT
from local.cloud.stack import Stack
from tests.json_output import documents_in

README = (ROOT / "README.md").read_text()


@pytest.fixture
def clone(tmp_path: Path, stack: Stack) -> Path:
    """The project as a folder of its own, in which the tests' cloud is the one that runs."""
    for entry in ROOT.iterdir():
        if entry.name not in (".local", ".git"):
            (tmp_path / entry.name).symlink_to(entry)
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local" / "stack.json").write_text(stack.as_json())
    return tmp_path


def walk_through() -> str:
    (block,) = re.findall(r"<!-- run by tests/local/test_readme.py -->\n```bash\n(.*?)```", README, flags=re.DOTALL)
    return str(block)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the README's walk-through is written with curl")
def test_the_walk_through_works_as_written(clone: Path) -> None:
    lines = [line for line in walk_through().splitlines() if not line.startswith("make up")]
    # A folder of links: `python -m local.sample` has to find the stack.json of this one.
    script = "\n".join(lines).replace("$(make sample)", '$(PYTHONPATH="$PWD/src:$PWD" .venv/bin/python -m local.sample .local)')
    done = subprocess.run(  # noqa: S603  the README's own lines
        ["bash", "-euo", "pipefail", "-c", script],  # noqa: S607  any bash
        cwd=clone,
        env=os.environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    first, second, listed, refused, document = documents_in(done.stdout)
    assert first["status"] in ("STARTING", "RUNNING", "SUCCEEDED")
    assert second["id"] == first["id"]
    assert "idempotency-replayed: true" in done.stdout.lower()
    assert listed["items"][0]["id"] == first["id"]
    assert (refused["status"], refused["errors"][0]["pointer"]) == (422, "#/inputS3Path")
    assert document["openapi"].startswith("3.1")


def test_every_make_target_is_listed_in_one_line() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, flags=re.MULTILINE))
    explained = re.findall(r"^([a-z-]+):.*## (.+)$", makefile, flags=re.MULTILINE)
    assert targets == {name for name, _ in explained}


@pytest.mark.parametrize("page", ["README.md", *(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))])
def test_links_between_pages_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", (ROOT / page).read_text())
    missing = [link for link in links if not (ROOT / page).parent.joinpath(link).exists()]
    assert missing == []
