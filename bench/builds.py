"""The packages that are measured: ours and the peers', as `sam build` makes them for this machine's processor."""

import os
import platform
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bench.rows import NotHere

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".local" / "bench"
SAM = ROOT / ".venv-sam" / "bin" / "sam"
# sam keeps notes beside its build folder: each its own
_OURS, _THEIRS = FOLDER / "ours" / "build", FOLDER / "peers" / "build"
OUR_SETTINGS = (("PYDANTIC_DISABLE_PLUGINS", "__all__"),)  # template.yaml's: tests/bench/test_bench_peers.py
_PEERS = {"bare": "Bare", "textbook": "Textbook", "FastAPI": "Fastapi"}


@dataclass(frozen=True)
class Build:
    """A function's package: what Lambda unpacks to /var/task, and what its template sets besides what all are given."""

    name: str
    folder: Path
    handler: str = "app.handler"
    settings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Builds:
    """`bare` has .pyc, so that nobody looks good beside it for having them; `peers` are by the names of the table's columns."""

    ours: Build
    peers: dict[str, Build]

    @property
    def bare(self) -> Build:
        return self.peers["bare"]

    @property
    def all(self) -> list[Build]:
        return [self.ours, *self.peers.values()]


@cache
def builds() -> Builds:
    """Build all of them, once in a process. Raises NotHere."""
    _sam_build(ROOT / "template.yaml", _OURS, "ApiFunction")
    _sam_build(ROOT / "bench" / "peers" / "template.yaml", _THEIRS)
    peers: dict[str, Build] = {}
    for name, function in _PEERS.items():
        shipped = _THEIRS / function
        compiled = _compiled(shipped)
        if name != "bare":
            peers[name] = Build(name, shipped)
        with_pyc = name if name == "bare" else f"{name}, .pyc"
        peers[with_pyc] = Build(with_pyc, compiled)
    return Builds(Build("ours", _OURS / "ApiFunction", "handlers.api.handler", OUR_SETTINGS), peers)


@cache
def python313() -> Path:
    """The functions' Python. Raises NotHere."""
    # pyenv's own first: its command on the PATH may be a shim that asks which one is meant
    found = next(map(str, Path.home().glob(".pyenv/versions/3.13*/bin/python3.13")), None) or shutil.which("python3.13")
    if found is None:
        raise NotHere("no python3.13")
    return Path(found)


def zipped_megabytes(build: Build) -> float:
    """The size that `sam deploy` uploads: its zip is deflated, too."""
    target = FOLDER / "package.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(build.folder.rglob("*")):
            if path.is_file():
                # SAM gives all files the same time, in 1980; that is why .pyc that carry a time are of no use there
                entry = zipfile.ZipInfo(str(path.relative_to(build.folder)), (1980, 1, 1, 0, 0, 0))
                archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    size = target.stat().st_size
    target.unlink()
    return size / 1e6


def has_pyc(build: Build) -> bool:
    return any(build.folder.rglob("*.pyc"))


def _sam_build(template: Path, target: Path, *functions: str) -> None:
    if not SAM.exists():
        raise NotHere("no .venv-sam (make validate sets it up)")
    architecture = {"aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "x86_64")
    command = [str(SAM), "build", *functions, "--template", str(template), "--build-dir", str(target)]
    command += ["--cached", "--cache-dir", str(FOLDER / "cache")]
    command += ["--parameter-overrides", f"Architecture={architecture}"]
    path = f"{python313().parent}:{os.environ['PATH']}"
    settings = {"PATH": path, "ARCHITECTURE": architecture, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"}
    done = subprocess.run(command, cwd=ROOT, env=os.environ | settings, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotHere(f"sam build failed: {done.stderr[-500:]}")


def _compiled(shipped: Path) -> Path:
    """A copy with unchecked .pyc, which hold whatever a zip does to the files' times."""
    target = shipped.with_name(f"{shipped.name}-pyc")
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(shipped, target)
    command = [str(python313()), "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(target)]
    subprocess.run(command, check=True, capture_output=True)
    return target
