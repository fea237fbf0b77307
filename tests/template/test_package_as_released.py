"""Third-party files are deployed as their publishers released them: as the wheels' own RECORDs say, byte for byte."""

import base64
import csv
import hashlib
import shutil
from importlib.metadata import distribution
from pathlib import Path

import pytest

from ops.package.build import AWS_DATA, CA_BUNDLE, NEVER_LOADED, OURS, REQUIREMENTS, deploy_packages
from ops.package.records import changed_files, read_records
from tests.template.deployed_package import RELEASED, SOURCE, run_python

REQUIRED = (SOURCE / REQUIREMENTS).read_text()
GENERATED = {AWS_DATA, CA_BUNDLE, REQUIREMENTS, *OURS}
# A module, a certificate bundle, a license, a notice, a module in a folder, and a library.
DEPLOYED = (
    "six.pyc",
    "botocore/cacert.pem",
    "six-1.17.0.dist-info/LICENSE",
    "botocore-1.43.106.dist-info/NOTICE",
    "pydantic/main.pyc",
    "botocore/client.pyc",
)


@pytest.fixture
def records() -> dict[str, str]:
    return dict(read_records(REQUIRED, RELEASED))


@pytest.fixture
def third_party(package: Path, tmp_path: Path) -> Path:
    """A copy of what is deployed, less what is ours."""
    return shutil.copytree(package, tmp_path / "third-party", ignore=lambda _, names: GENERATED & set(names))


def test_every_third_party_file_is_as_its_record_says(third_party: Path, records: dict[str, str]) -> None:
    assert changed_files(third_party, RELEASED, records) == set()
    assert all((third_party / file).exists() for file in DEPLOYED)
    assert list(third_party.glob("pydantic_core/_pydantic_core.*.so"))


def test_records_are_read_as_the_wheels_have_them(records: dict[str, str]) -> None:
    """Against another reader: the files as csv, hashed with the standard library."""
    botocore = distribution("botocore")
    rows = {path: value for path, value, _ in csv.reader((botocore.read_text("RECORD") or "").splitlines())}
    for name in ("botocore/client.py", "botocore/cacert.pem"):
        sha256 = hashlib.sha256((RELEASED / name).read_bytes()).digest()
        assert rows[name] == f"sha256={records[name]}"
        assert base64.urlsafe_b64encode(sha256).decode().rstrip("=") == records[name]


@pytest.mark.parametrize("file", DEPLOYED)
@pytest.mark.parametrize("place", [0.0, 0.5, 1.0], ids=["first byte", "a byte within", "last byte"])
def test_one_byte_that_differs_is_seen(file: str, place: float, third_party: Path, records: dict[str, str]) -> None:
    content = bytearray((third_party / file).read_bytes())
    content[int(place * (len(content) - 1))] ^= 0x01
    (third_party / file).write_bytes(content)
    assert changed_files(third_party, RELEASED, records) == {file}


def test_bytecode_of_another_source_is_seen(third_party: Path, records: dict[str, str]) -> None:
    shutil.copy(third_party / "botocore" / "hooks.pyc", third_party / "botocore" / "client.pyc")
    assert changed_files(third_party, RELEASED, records) == {"botocore/client.pyc"}


def test_a_file_that_no_wheel_has_is_seen(third_party: Path, records: dict[str, str]) -> None:
    (third_party / "botocore" / "patch.pyc").write_bytes(b"")
    assert changed_files(third_party, RELEASED, records) == {"botocore/patch.pyc"}


def test_a_wheel_that_was_changed_after_its_release_stops_the_build(tmp_path: Path) -> None:
    released = tmp_path / "released"
    info = Path(str(distribution("six").locate_file("six-1.17.0.dist-info")))
    shutil.copytree(info, released / info.name)
    (released / "six.py").write_text((RELEASED / "six.py").read_text() + "\n")
    with pytest.raises(SystemExit, match=r"six\.pyc"):
        deploy_packages(tmp_path / "package", "six==1.17.0 \\\n", released)
    shutil.copy(RELEASED / "six.py", released)
    deploy_packages(tmp_path / "package", "six==1.17.0 \\\n", released)


def test_a_required_package_that_is_not_installed_stops_the_build(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="six has no RECORD"):
        deploy_packages(tmp_path / "package", "six==1.17.0 \\\n", tmp_path)


def test_what_is_generated_takes_no_released_files_place(package: Path, records: dict[str, str]) -> None:
    generated = [
        str(path.relative_to(package)) for name in GENERATED for path in [package / name, *(package / name).rglob("*")]
    ]
    assert not set(generated) & records.keys()


def test_the_license_of_every_package_stays_with_it(package: Path) -> None:
    left_out = {pattern.removesuffix("-*.dist-info") for pattern in NEVER_LOADED if pattern.endswith("-*.dist-info")}
    names = {line.split("==")[0] for line in REQUIRED.splitlines() if "==" in line} - left_out
    assert {"botocore", "pydantic-core", "urllib3"} <= names
    for name in names:
        (info,) = package.glob(f"{name.replace('-', '_')}-*.dist-info")
        assert [path for path in info.rglob("*") if path.is_file() and path.name.upper().startswith("LICENSE")], name
        assert (info / "METADATA").exists()


# Prints function and line of each step of an exception's traceback, per place where botocore raises one.
TRACEBACKS = """
import json, sys, traceback
from botocore.config import Config
from botocore.loaders import Loader
from botocore.session import Session

Loader.BUILTIN_DATA_PATH = json.load(sys.stdin)

def lines(call):
    try:
        call()
    except Exception as error:
        steps = traceback.extract_tb(error.__traceback__)[1:]
        return [type(error).__name__, *([step.filename.rpartition("botocore/")[2], step.name, step.lineno] for step in steps)]

def client(**parameters):
    return Session().create_client("dynamodb", "us-east-1", aws_access_key_id="a", aws_secret_access_key="b", **parameters)

calls = [
    lambda: Session().create_client("no-such-service", "us-east-1"),
    lambda: client().put_item(TableName="t"),
    lambda: client().no_such_operation(),
    lambda: client(endpoint_url="http://127.0.0.1:1", config=Config(retries={"total_max_attempts": 1})).get_item(
        TableName="t", Key={"id": {"S": "1"}}),
]
print(json.dumps([lines(call) for call in calls]))
"""


def test_a_fault_in_the_deployed_botocore_shows_the_lines_of_the_released_one(package: Path) -> None:
    data = str(package / AWS_DATA)
    released, deployed = (run_python(TRACEBACKS, data, path=[folder]) for folder in (RELEASED, package))
    assert deployed == released
    assert [raised for raised, *_ in released] == [
        "UnknownServiceError",
        "ParamValidationError",
        "AttributeError",
        "EndpointConnectionError",
    ]
    assert all(len(steps) > 1 for _, *steps in released)
