"""The Makefile: everything that it installs is pinned, and it works in a folder whose name has a space."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from local.cloud.process import ROOT

MAKEFILE = (ROOT / "Makefile").read_text()
LOCK_FILES = sorted([*(ROOT / "requirements").glob("*.txt"), ROOT / "src" / "requirements.txt"])


def test_make_installs_from_lock_files_only() -> None:
    installations = re.findall(r"\bpip (?:install|sync)\b.*", MAKEFILE)
    assert len(installations) == 3
    for command in installations:
        assert re.search(r"requirements/(?:[a-z]+|\$\*)\.txt$", command), command
        assert "sync" in command or "--require-hashes" in command, command


@pytest.mark.parametrize("path", LOCK_FILES, ids=lambda path: path.stem)
def test_lock_files_pin_each_package_by_version_and_hash(path: Path) -> None:
    requirements = re.findall(r"^\S.*(?:\n +--hash.*)*", path.read_text(), flags=re.MULTILINE)
    assert requirements
    assert [text for text in requirements if not re.match(r"[\w.\[\]-]+==\S+.*\n +--hash=sha256:", text)] == []


def test_packages_are_built_in_a_folder_whose_name_has_a_space(tmp_path: Path) -> None:
    """As `sam build` calls it; python3.13 is replaced by a script that reports where it would find ops.package."""
    project, commands, build = tmp_path / "a folder", tmp_path / "commands", tmp_path / "build"
    shutil.copytree(ROOT / "ops" / "package", project / "ops" / "package")
    for folder in (commands, build):
        folder.mkdir()
    python = commands / "python3.13"
    python.write_text('#!/bin/sh\nls "$PYTHONPATH/ops/package/Makefile" && shift && printf "%s\\n" "$@"\n')
    python.chmod(0o755)
    completed = subprocess.run(  # noqa: S603 - constants
        ["make", "--makefile", str(project / "ops" / "package" / "Makefile"), "build-ApiFunction"],  # noqa: S607 - any make
        cwd=build,
        env={"PATH": f"{commands}:{os.environ['PATH']}", "ARTIFACTS_DIR": "artifacts of a build"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert completed.returncode == 0, completed.stdout + completed.stderr
    assert completed.stdout.splitlines()[-3:] == ["ApiFunction", str(build), "artifacts of a build"]
