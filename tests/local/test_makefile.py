"""The Makefile: everything that it installs is pinned, and it works in a folder whose name has a space."""

import re
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
