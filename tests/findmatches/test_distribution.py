"""findmatches is a distribution of its own: it installs and works with its declared dependencies alone."""

import json
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OWN_PACKAGES = {"core", "handlers", "label_loop", "contracts", "local", "ops", "bench", "tests"}

MATCH_IN_A_CLEAN_PROCESS = """
import json, sys

class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in hidden:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

installed, hidden = sys.argv[1], set(json.loads(sys.argv[2]))
sys.meta_path.insert(0, Hidden())
sys.path.insert(0, installed)
from findmatches import Label, Settings, Table, __file__, evaluate, find_matches, metrics, propose_labeling_sets
names = ["anna bell", "anna bel", "carl dorn", "karl dorn", "emil falk"]
table = Table({"id": list("12345"), "name": names}, "id")
labels = [Label("s", "a", "1"), Label("s", "a", "2"), Label("s", "b", "5")]
sets = propose_labeling_sets(table, labels, Settings())
print(json.dumps({"file": __file__, "ids": find_matches(table, labels, Settings()), "modules": sorted(sys.modules)}))
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `pip install ./findmatches` wrote into, without its dependencies."""
    target = tmp_path_factory.mktemp("installed")
    options = ["--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--no-build-isolation"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", str(target), str(ROOT / "findmatches")]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own package
    return target


def test_installed_package_works_with_its_declared_dependencies_alone(installed: Path) -> None:
    declared = _declared_dependencies(installed)
    hidden = [
        module
        for module, distributions in metadata.packages_distributions().items()
        if not declared & {_normalized(name) for name in distributions}
    ]
    assert "boto3" in hidden
    # -I: neither the working directory nor PYTHONPATH is searched, so only the installed copy can be imported.
    command = [sys.executable, "-I", "-c", MATCH_IN_A_CLEAN_PROCESS, str(installed), json.dumps(hidden)]
    completed = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own code
    result = json.loads(completed.stdout)
    assert Path(result["file"]).is_relative_to(installed)
    assert result["ids"][0] == result["ids"][1]


def test_importing_it_loads_neither_aws_nor_the_other_packages(installed: Path) -> None:
    command = [sys.executable, "-I", "-c", MATCH_IN_A_CLEAN_PROCESS, str(installed), "[]"]
    completed = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - our own code
    imported = {name.split(".")[0] for name in json.loads(completed.stdout)["modules"]}
    assert "findmatches" in imported
    assert not imported & (OWN_PACKAGES | {"boto3", "botocore"})


def test_installed_package_carries_its_type_marker_and_nothing_but_modules(installed: Path) -> None:
    files = {path.suffix or path.name for path in (installed / "findmatches").rglob("*.*") if path.suffix != ".pyc"}
    assert files == {".py", ".typed"}


def _declared_dependencies(installed: Path) -> set[str]:
    """The distributions that findmatches requires, and those that they require."""
    (own,) = metadata.distributions(name="glue-findmatches", path=[str(installed)])
    waiting, declared = list(own.requires or []), set[str]()
    while waiting:
        requirement = waiting.pop()
        match = re.match(r"[A-Za-z0-9._-]+", requirement)
        assert match
        name = _normalized(match[0])
        if "extra ==" not in requirement and name not in declared:
            declared.add(name)
            waiting += metadata.requires(name) or []
    return declared


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
