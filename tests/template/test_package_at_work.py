"""The functions run on the package as it is deployed: from its bytecode, and on its data."""

import os
import subprocess
import sys
from pathlib import Path

from bench.handler_process import EVENT, environment, stub_aws_process
from ops.package.build import OURS
from tests.template.deployed_package import RELEASED, ROOT, run_python

# Answers a start and its replay as Lambda calls the handler, and prints from which files all modules were loaded.
START = """
import json, sys
from pathlib import Path
from driver import main
main("handlers.api.handler", 1, 1, Path(json.load(sys.stdin)))
specs = [module.__spec__ for module in sys.modules.values() if getattr(module, "__spec__", None)]
from handlers.aws_clients import AMAZON_ROOTS, AWS_DATA
print(json.dumps([[spec.origin for spec in specs if spec.has_location], AWS_DATA.exists(), AMAZON_ROOTS.exists()]))
"""


def test_a_start_and_its_replay_are_answered_from_the_package_alone(package: Path) -> None:
    with stub_aws_process() as aws:
        loaded, *generated = run_python(START, str(EVENT), path=[package, ROOT / "bench"], **environment(aws))
    files = [Path(file) for file in loaded]
    assert generated == [True, True]
    assert {file.suffix for file in files if package in file.parents} == {".py", ".pyc", ".so"}
    ours = {file.relative_to(package).parts[0] for file in files if package in file.parents and file.suffix == ".py"}
    assert ours == set(OURS)  # the others have no sources
    assert not [file for file in files if RELEASED in file.parents]


def test_the_whole_loop_runs_on_its_packages(package: Path, tmp_path: Path) -> None:
    """Starts, imports, queries, cancellations, rounds: tests of tests/contract, on the packages as they are deployed."""
    for deployed in package.iterdir():
        if deployed.name not in ("botocore", *OURS):
            (tmp_path / deployed.name).symlink_to(deployed)
    (tmp_path / "botocore").mkdir()
    for deployed in (package / "botocore").iterdir():
        (tmp_path / "botocore" / deployed.name).symlink_to(deployed)
    (tmp_path / "botocore" / "data").symlink_to(RELEASED / "botocore" / "data")  # moto has more services than we have
    tests = ["tests/contract/test_slim_models_in_use.py", "tests/contract/test_files_contract.py"]
    path = ":".join(map(str, (tmp_path, ROOT / "src", ROOT)))
    process = subprocess.run(  # noqa: S603  our own tests
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests],
        env=os.environ | {"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stdout[-4000:]
    assert "passed" in process.stdout
