"""Endpoints from botocore's table equal those of its endpoint rules."""

from pathlib import Path

import botocore.session
import pytest
from botocore.config import Config
from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import EndpointProviderError
from botocore.regions import EndpointResolver

from handlers import aws_clients
from handlers.aws_clients import AWS_DATA, DataLoader, Session
from ops.package.botocore_data import slim_data, write_data
from tests.contract.request_target import request_target
from tests.contract.slim_models import FULL, SERVICES, SRC

# The last is not a region yet, so it is in no table.
PLAIN = ["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1", "us-iso-east-1", "us-iso-west-1", "eu-north-9"]
CASES = [
    *((region, "") for region in PLAIN),
    *((region, kind) for region in ("us-east-1", "us-gov-west-1", "us-iso-west-1") for kind in ("FIPS", "DUALSTACK")),
]


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")


def by_rules(service: str, region: str) -> tuple[str, str]:
    return request_target(botocore.session.Session().create_client(service, region_name=region))


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(("region", "kind"), CASES)
def test_request_url_and_signing_scope_match_botocore_endpoint_rules(
    service: str, region: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    if kind:
        monkeypatch.setenv(f"AWS_USE_{kind}_ENDPOINT", "true")
    try:
        expected = by_rules(service, region)
    except EndpointProviderError:
        with pytest.raises(EndpointProviderError):
            request_target(Session().client(service, config=Config()))
    else:
        assert request_target(Session().client(service, config=Config())) == expected


@pytest.mark.parametrize("service", sorted(set(SERVICES) - {"s3"}))
def test_endpoint_table_agrees_with_the_rules_in_all_regions(service: str) -> None:
    rules = EndpointProvider(FULL.load_service_model(service, "endpoint-rule-set-1"), FULL.load_data("partitions"))
    table = EndpointResolver(FULL.load_data("endpoints"))
    entries = {region: table.construct_endpoint(service, region) for region in all_regions()}
    urls = {region: f"https://{entry['hostname']}" for region, entry in entries.items() if entry}
    assert len(urls) > 30
    # For the rest, botocore builds the name of service, region and partition: see the test above.
    assert urls == {region: rules.resolve_endpoint(Region=region, UseFIPS=False, UseDualStack=False).url for region in urls}


def test_endpoint_table_is_not_used_for_fips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-gov-west-1")
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    session = botocore.session.Session()
    session.register_component("data_loader", DataLoader(AWS_DATA, endpoints_by_table=True))
    wrong_url, _ = request_target(session.create_client("dynamodb"))
    assert wrong_url == "https://dynamodb-fips.us-gov-west-1.amazonaws.com/"
    assert request_target(Session().client("dynamodb", config=Config()))[0] == "https://dynamodb.us-gov-west-1.amazonaws.com/"


@pytest.mark.parametrize("service", SERVICES)
def test_aws_endpoint_url_overrides_the_table(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert request_target(Session().client(service, config=Config())) == by_rules(service, "eu-central-1")


def test_account_id_in_credentials_does_not_select_an_account_endpoint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCOUNT_ID", "123456789012")
    assert by_rules("dynamodb", "eu-central-1")[0] == "https://123456789012.ddb.eu-central-1.amazonaws.com/"
    assert request_target(Session().client("dynamodb", config=Config()))[0] == "https://dynamodb.eu-central-1.amazonaws.com/"


def all_regions() -> list[str]:
    return [region for partition in FULL.load_data("endpoints")["partitions"] for region in partition["regions"]]


def test_operators_data_path_is_searched_before_the_deployed_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own, deployed = tmp_path / "own", tmp_path / "deployed"
    own.mkdir()
    write_data(slim_data(SRC), deployed)
    (own / "endpoints.json").write_text('{"partitions": [], "version": 3}')
    monkeypatch.setenv("AWS_DATA_PATH", str(own))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setattr(aws_clients, "AWS_DATA", deployed)
    core = botocore.session.Session()
    loader = aws_clients.data_loader(core)
    assert loader.load_data("endpoints")["partitions"] == []
    assert loader.load_data("partitions") == FULL.load_data("partitions")
    assert loader.load_service_model("dynamodb", "endpoint-rule-set-1")  # whose table an operator replaces, needs the rules
