"""The measured packages, ours and the peers', built by `sam build` for this machine's processor."""

import os
import platform
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bench.rows import NotMeasurable

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".local" / "bench"
SAM = ROOT / ".venv-sam" / "bin" / "sam"
# sam writes files beside its build folder, so each build has its own parent
_OUR_BUILD, _PEER_BUILD = FOLDER / "ours" / "build", FOLDER / "peers" / "build"
OUR_SETTINGS = (("PYDANTIC_DISABLE_PLUGINS", "__all__"),)  # as in template.yaml; a test compares them
_PEERS = {"bare": "Bare", "textbook": "Textbook", "FastAPI": "Fastapi"}


@dataclass(frozen=True)
class Build:
    """A function's package: `folder` is what Lambda unpacks to /var/task; `settings` are its own environment variables."""

    name: str
    folder: Path
    handler: str = "app.handler"
    settings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Builds:
    """`peers` by the names of the table's columns. `bare` has .pyc, so that no package wins by having them."""

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
    """Build all packages, once per process. Raises NotMeasurable."""
    _sam_build(ROOT / "template.yaml", _OUR_BUILD, "ApiFunction")
    _sam_build(ROOT / "bench" / "peers" / "template.yaml", _PEER_BUILD)
    peers: dict[str, Build] = {}
    for name, function in _PEERS.items():
        shipped = _PEER_BUILD / function
        compiled = _compiled(shipped)
        if name != "bare":
            peers[name] = Build(name, shipped)
        with_pyc = name if name == "bare" else f"{name}, .pyc"
        peers[with_pyc] = Build(with_pyc, compiled)
    return Builds(Build("ours", _OUR_BUILD / "ApiFunction", "handlers.api.handler", OUR_SETTINGS), peers)


@cache
def python313() -> Path:
    """The functions' Python. Raises NotMeasurable."""
    # pyenv's installation first: on the PATH it may be a shim that runs another version
    python = next(map(str, Path.home().glob(".pyenv/versions/3.13*/bin/python3.13")), None) or shutil.which("python3.13")
    if python is None:
        raise NotMeasurable("no python3.13")
    return Path(python)


def zipped_megabytes(build: Build) -> float:
    """The size of the deflated zip, as `sam deploy` uploads it."""
    target = FOLDER / "package.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(build.folder.rglob("*")):
            if path.is_file():
                # SAM sets all files to the same time in 1980, so .pyc files that hold a time are stale
                entry = zipfile.ZipInfo(str(path.relative_to(build.folder)), (1980, 1, 1, 0, 0, 0))
                archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    size = target.stat().st_size
    target.unlink()
    return size / 1e6


def has_pyc(build: Build) -> bool:
    return any(build.folder.rglob("*.pyc"))


def _sam_build(template: Path, target: Path, *functions: str) -> None:
    if not SAM.exists():
        raise NotMeasurable("no .venv-sam (make validate sets it up)")
    architecture = {"aarch64": "arm64", "arm64": "arm64"}.get(platform.machine(), "x86_64")
    command = [str(SAM), "build", *functions, "--template", str(template), "--build-dir", str(target)]
    command += ["--cached", "--cache-dir", str(FOLDER / "cache")]
    command += ["--parameter-overrides", f"Architecture={architecture}"]
    path = f"{python313().parent}:{os.environ['PATH']}"
    settings = {"PATH": path, "ARCHITECTURE": architecture, "SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"}
    process = subprocess.run(command, cwd=ROOT, env=os.environ | settings, capture_output=True, text=True, check=False)
    if process.returncode:
        raise NotMeasurable(f"sam build failed: {process.stderr[-500:]}")


def _compiled(shipped: Path) -> Path:
    """A copy with unchecked-hash .pyc, which stay valid whatever a zip does to the files' times."""
    target = shipped.with_name(f"{shipped.name}-pyc")
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(shipped, target)
    command = [str(python313()), "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", str(target)]
    subprocess.run(command, check=True, capture_output=True)
    return target
