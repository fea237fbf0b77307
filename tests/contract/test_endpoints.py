"""Endpoints by botocore's table: each request goes where botocore's own rules would send it."""

import botocore.session
import pytest
from botocore.config import Config
from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import EndpointProviderError
from botocore.regions import EndpointResolver

from handlers.aws_clients import EndpointsByTable, Session
from tests.contract.sent import sent_to
from tests.contract.slim import FULL, SERVICES

# The last is to come: no table knows it.
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
    return sent_to(botocore.session.Session().create_client(service, region_name=region))


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(("region", "kind"), CASES)
def test_a_request_goes_where_the_rules_send_it_and_is_signed_as_they_say(
    service: str, region: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    if kind:
        monkeypatch.setenv(f"AWS_USE_{kind}_ENDPOINT", "true")
    try:
        expected = by_rules(service, region)
    except EndpointProviderError:
        with pytest.raises(EndpointProviderError):
            sent_to(Session().client(service, config=Config()))
    else:
        assert sent_to(Session().client(service, config=Config())) == expected


@pytest.mark.parametrize("service", sorted(set(SERVICES) - {"s3"}))
def test_the_table_says_what_the_rules_say_in_every_region(service: str) -> None:
    rules = EndpointProvider(FULL.load_service_model(service, "endpoint-rule-set-1"), FULL.load_data("partitions"))
    table = EndpointResolver(FULL.load_data("endpoints"))
    found = {region: table.construct_endpoint(service, region) for region in every_region()}
    told = {region: f"https://{one['hostname']}" for region, one in found.items() if one}
    assert len(told) > 30
    # Where it says nothing, botocore makes the same name of service, region and partition: see above.
    assert told == {region: rules.resolve_endpoint(Region=region, UseFIPS=False, UseDualStack=False).url for region in told}


def test_the_table_is_not_asked_for_fips_where_it_would_be_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-gov-west-1")
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    session = botocore.session.Session()
    session.register_component("data_loader", EndpointsByTable())
    wrong, _ = sent_to(session.create_client("dynamodb"))
    assert wrong == "https://dynamodb-fips.us-gov-west-1.amazonaws.com/"
    assert sent_to(Session().client("dynamodb", config=Config()))[0] == "https://dynamodb.us-gov-west-1.amazonaws.com/"


@pytest.mark.parametrize("service", SERVICES)
def test_an_operators_own_endpoint_is_where_it_goes(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert sent_to(Session().client(service, config=Config())) == by_rules(service, "eu-central-1")


def test_with_credentials_that_name_an_account_it_goes_to_the_region_and_not_to_the_accounts_own_endpoint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCOUNT_ID", "123456789012")
    assert by_rules("dynamodb", "eu-central-1")[0] == "https://123456789012.ddb.eu-central-1.amazonaws.com/"
    assert sent_to(Session().client("dynamodb", config=Config()))[0] == "https://dynamodb.eu-central-1.amazonaws.com/"


def every_region() -> list[str]:
    return [region for partition in FULL.load_data("endpoints")["partitions"] for region in partition["regions"]]
