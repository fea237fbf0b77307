"""A copy of the project for each worker, set up as docs/sam-local.md says. All workers share one build."""

import fcntl
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.sam_local_project import SamLocalProject, copy_project

DOCKER_TIMEOUT_SECONDS, PULL_TIMEOUT_SECONDS = 20, 300
BASE_IMAGE = f"public.ecr.aws/lambda/python:3.13-{'x86_64' if platform.machine() in ('x86_64', 'AMD64') else 'arm64'}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests of this folder, with the reason, if they cannot run."""
    e2e_items = [item for item in items if Path(__file__).parent in item.path.parents]
    if e2e_items and (reason := _reason_to_skip()):
        for item in e2e_items:
            item.add_marker(pytest.mark.skip(reason=reason))


def _reason_to_skip() -> str | None:
    if os.environ.get("SAM_LOCAL") != "1":
        return "takes minutes: `make sam-local` runs it"
    if shutil.which("docker") is None:
        return "sam local needs Docker, and there is no docker on the PATH"
    if error := _docker_error("info", DOCKER_TIMEOUT_SECONDS):
        return f"sam local needs Docker: {error}"
    if _docker_error("image", DOCKER_TIMEOUT_SECONDS, "inspect", BASE_IMAGE) and (
        error := _docker_error("pull", PULL_TIMEOUT_SECONDS, BASE_IMAGE)
    ):
        return f"{BASE_IMAGE} is not on this machine and cannot be pulled: {error}"
    return None


def _docker_error(command: str, timeout_seconds: float, *arguments: str) -> str | None:
    """Docker's error message; None if the command succeeded."""
    docker_command = ["docker", command, *arguments]
    try:
        completed = subprocess.run(docker_command, capture_output=True, text=True, timeout=timeout_seconds, check=False)  # noqa: S603 - constants
    except subprocess.TimeoutExpired:
        return f"`docker {command}` does not respond within {timeout_seconds:.0f} s"
    if completed.returncode == 0:
        return None
    return (completed.stderr.strip().splitlines() or [f"`docker {command}` failed"])[-1]


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SamLocalProject]:
    """The project, built, with its own local cloud in which only the containers run functions."""
    folder = tmp_path_factory.mktemp("project")
    project = SamLocalProject(folder)
    copy_project(folder)
    shared = tmp_path_factory.getbasetemp().parent if "PYTEST_XDIST_WORKER" in os.environ else tmp_path_factory.getbasetemp()
    try:
        with _exclusive(shared / "sam.lock"):
            project.set_up(shared / "built")
        project.disable_triggers()
        yield project
    finally:
        project.tear_down()


@contextmanager
def _exclusive(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture
def clean_project(project: SamLocalProject) -> SamLocalProject:
    """The project with an empty ledger, no open run in Glue and no unread event."""
    project.reset()
    return project
