"""Where the API is found, and what is said if it is not."""

import json
from pathlib import Path

import pytest

from label_loop.endpoint import find_endpoint
from label_loop.errors import LabelLoopError, NoCredentials, UsageError

API = "https://a1b2c3.execute-api.eu-central-1.amazonaws.com/prod/"


@pytest.fixture(autouse=True)
def _no_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "LABEL_LOOP_API"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")


def test_region_is_read_from_the_url() -> None:
    endpoint = find_endpoint(API)
    assert (endpoint.url, endpoint.region) == (API.rstrip("/"), "eu-central-1")


def test_environment_names_the_api(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LABEL_LOOP_API", API)
    assert find_endpoint().url == API.rstrip("/")


def test_custom_domain_needs_a_region() -> None:
    with pytest.raises(UsageError, match="no region: give --region"):
        find_endpoint("https://labels.example.com")
    assert find_endpoint("https://labels.example.com", region="eu-west-1").region == "eu-west-1"


def test_contradicting_arguments_are_named() -> None:
    with pytest.raises(UsageError, match="only one of --api, --stack and --local"):
        find_endpoint(API, local=True)


def test_missing_credentials_are_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    with pytest.raises(NoCredentials, match="run `aws configure` or `aws sso login`"):
        find_endpoint(API)


def test_local_cloud_is_found_from_a_folder_below(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    env = {"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    document = {"apiUrl": "http://127.0.0.1:4566/x", "awsEndpointUrl": "http://127.0.0.1:4566", "env": env}
    (tmp_path / ".local").mkdir()
    (tmp_path / ".local" / "stack.json").write_text(json.dumps(document))
    (tmp_path / "deeper").mkdir()
    monkeypatch.chdir(tmp_path / "deeper")
    assert find_endpoint(local=True).url == "http://127.0.0.1:4566/x"


def test_missing_local_cloud_is_told_with_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LabelLoopError, match="run `make up` first"):
        find_endpoint(local=True)
