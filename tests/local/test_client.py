"""The client is a distribution of its own: it installs alone, needs botocore alone, and does what its README shows."""

import json
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from local.cloud.process import ROOT
from local.cloud.stack import Stack
from tests.local.helpers import run_python

README = ROOT / "client" / "README.md"
OWN_PACKAGES = {"core", "handlers", "findmatches", "contracts", "local", "ops", "bench", "tests"}

IMPORT_IN_A_CLEAN_PROCESS = """
import json, sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in hidden:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

installed, hidden = sys.argv[1], set(json.loads(sys.argv[2]))
sys.meta_path.insert(0, Hidden())
sys.path.insert(0, installed)
from label_loop import ApiClient, Response
from botocore.credentials import Credentials
import label_loop
ApiClient("http://127.0.0.1", "us-east-1", Credentials("key", "secret"))
print(json.dumps({"file": label_loop.__file__, "modules": sorted(sys.modules)}))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `pip install ./client` wrote into, without its dependencies."""
    target = tmp_path_factory.mktemp("installed")
    options = ["--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--no-build-isolation"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(target), str(ROOT / "client")]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own package
    return target


def test_installed_client_needs_botocore_alone_and_imports_nothing_of_ours(installed: Path) -> None:
    hidden = sorted(set(metadata.packages_distributions()) - _modules_of("botocore"))
    assert "boto3" in hidden
    # -I: neither the working directory nor PYTHONPATH is searched, so only the installed copy can be imported.
    completed = run_python("-I", "-c", IMPORT_IN_A_CLEAN_PROCESS, str(installed), json.dumps(hidden))
    assert completed.returncode == 0, completed.stderr
    result = json.loads(completed.stdout)
    assert Path(result["file"]).is_relative_to(installed)
    imported = {name.partition(".")[0] for name in result["modules"]}
    assert "botocore" in imported
    assert not imported & OWN_PACKAGES


def test_client_declares_botocore_as_its_only_dependency(installed: Path) -> None:
    (client,) = metadata.distributions(name="glue-label-loop", path=[str(installed)])
    required = [requirement for requirement in client.requires or [] if "extra ==" not in requirement]
    assert [re.split(r"[^\w-]", requirement)[0] for requirement in required] == ["botocore"]


def test_installed_client_carries_its_type_marker_and_nothing_but_modules(installed: Path) -> None:
    files = {path.suffix or path.name for path in (installed / "label_loop").iterdir() if path.name != "__pycache__"}
    assert files == {".py", ".typed"}


def test_readme_example_runs_against_the_local_cloud(installed: Path, stack: Stack, transform_id: str) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)
    env = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    env |= {name: value for name, value in stack.env.items() if name.startswith("AWS_")}
    env |= {"PYTHONPATH": str(installed), "API_URL": stack.api_url, "TRANSFORM_ID": transform_id}

    completed = run_python("-c", example, env=env)

    assert completed.returncode == 0, completed.stderr
    status, *listed = completed.stdout.splitlines()
    assert re.fullmatch(r"SUCCEEDED s3://label-loop-data/labeling-sets/[0-9a-f]{32}/", status)
    assert any("LABELING_SET_GENERATION" in line for line in listed)


def test_readme_names_every_method(installed: Path) -> None:
    source = (installed / "label_loop" / "api.py").read_text()
    methods = re.findall(r"^    def ([a-z]\w*)\([^)]*\) -> Response:", source, flags=re.MULTILINE)
    assert len(methods) >= 12
    assert [name for name in methods if f"`{name}`" not in README.read_text()] == []


def _modules_of(distribution: str) -> set[str]:
    """The top-level modules of a distribution and of those that it requires."""
    pending, required = [distribution], set[str]()
    while pending:
        name = pending.pop()
        if name not in required:
            required.add(name)
            for requirement in metadata.requires(name) or []:
                match = re.match(r"[A-Za-z0-9._-]+", requirement)
                if match and "extra ==" not in requirement:
                    pending.append(match[0].lower())
    return {module for module, owners in metadata.packages_distributions().items() if required & {o.lower() for o in owners}}
