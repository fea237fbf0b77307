"""One copy of the project per worker, set up as docs/sam-local.md says; built once for all workers."""

import fcntl
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.sam_local_project import Laptop, copy_project

DOCKER_SECONDS, PULL_SECONDS = 20, 300
BASE_IMAGE = f"public.ecr.aws/lambda/python:3.13-{'x86_64' if platform.machine() in ('x86_64', 'AMD64') else 'arm64'}"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs Docker, and minutes."""
    ours = [item for item in items if Path(__file__).parent in item.path.parents]
    if ours and (reason := _reason_to_skip()):
        for item in ours:
            item.add_marker(pytest.mark.skip(reason=reason))


def _reason_to_skip() -> str | None:
    if os.environ.get("SAM_LOCAL") != "1":
        return "takes minutes: `make sam-local` runs it"
    if shutil.which("docker") is None:
        return "sam local needs Docker, and there is no docker on the PATH"
    if problem := _problem_of("info", DOCKER_SECONDS):
        return f"sam local needs Docker: {problem}"
    if _problem_of("image", DOCKER_SECONDS, "inspect", BASE_IMAGE) and (
        problem := _problem_of("pull", PULL_SECONDS, BASE_IMAGE)
    ):
        return f"{BASE_IMAGE} is neither here nor to be had: {problem}"
    return None


def _problem_of(command: str, seconds: float, *arguments: str) -> str | None:
    """Why docker did not do it; None if it did."""
    asked = ["docker", command, *arguments]
    try:
        told = subprocess.run(asked, capture_output=True, text=True, timeout=seconds, check=False)  # noqa: S603 - our own words
    except subprocess.TimeoutExpired:
        return f"`docker {command}` does not answer within {seconds:.0f} s"
    return None if told.returncode == 0 else (told.stderr.strip().splitlines() or [f"`docker {command}` failed"])[-1]


@pytest.fixture(scope="session")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    """The project, built and with a local cloud of its own in which nothing moves but what a container does."""
    folder = tmp_path_factory.mktemp("project")
    laptop = Laptop(folder)
    copy_project(folder)
    shared = tmp_path_factory.getbasetemp().parent if "PYTEST_XDIST_WORKER" in os.environ else tmp_path_factory.getbasetemp()
    try:
        with _one_at_a_time(shared / "sam.lock"):
            laptop.set_up(shared / "built")
        laptop.keep_still()
        yield laptop
    finally:
        laptop.tear_down()


@contextmanager
def _one_at_a_time(lock: Path) -> Iterator[None]:
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@pytest.fixture
def quiet(laptop: Laptop) -> Laptop:
    """The laptop with a fresh ledger, and a Glue and a bus without anything under way."""
    laptop.forget()
    return laptop
