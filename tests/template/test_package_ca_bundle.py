"""Which roots of trust the functions take along, and when they use them instead of botocore's."""

import re
import ssl
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.config import Config

from handlers import aws_clients as clients
from ops.package.ca_bundle import ROOTS, RootMissing, amazon_roots

BUNDLE = (Path(botocore.session.__file__).parent / "cacert.pem").read_text()
# The five roots of Amazon Trust Services (https://www.amazontrust.com/repository), and the one that older chains end at.
AWS_SAYS = {
    ("Amazon", "Amazon Root CA 1"),
    ("Amazon", "Amazon Root CA 2"),
    ("Amazon", "Amazon Root CA 3"),
    ("Amazon", "Amazon Root CA 4"),
    ("Starfield Technologies, Inc.", "Starfield Services Root Certificate Authority - G2"),
    ("Starfield Technologies, Inc.", "Starfield Class 2 Certification Authority"),
}


def trusted(bundle: str) -> set[tuple[str, str]]:
    """Organization and name of every certificate, as OpenSSL reads them."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(cadata=bundle)
    subjects: list[Any] = [one["subject"] for one in context.get_ca_certs()]
    named = [{name: value for part in subject for name, value in part} for subject in subjects]
    return {(one.get("organizationName", ""), one.get("commonName") or one.get("organizationalUnitName", "")) for one in named}


def test_every_root_that_aws_names_is_in_the_bundle_and_nobody_elses() -> None:
    roots = trusted(amazon_roots(BUNDLE))
    assert roots >= AWS_SAYS
    assert {organization for organization, _ in roots} == {"Amazon", "Starfield Technologies, Inc."}
    assert len(roots) == len(ROOTS)


def test_every_root_of_amazons_that_botocore_trusts_is_in_the_bundle() -> None:
    """A root that Amazon adds comes with a new botocore: then this fails, and the list grows."""
    assert {one for one in trusted(BUNDLE) if one[0] == "Amazon"} == {
        one for one in trusted(amazon_roots(BUNDLE)) if one[0] == "Amazon"
    }


def test_a_root_that_is_missing_is_seen() -> None:
    without = re.sub(r"# Amazon Root CA 3\n-----BEGIN.+?END CERTIFICATE-----\n", "", amazon_roots(BUNDLE), flags=re.DOTALL)
    assert AWS_SAYS - trusted(without) == {("Amazon", "Amazon Root CA 3")}


def test_a_root_that_botocore_has_no_more_stops_the_build() -> None:
    with pytest.raises(RootMissing, match="Amazon Root CA 1"):
        amazon_roots(BUNDLE.replace('"Amazon Root CA 1"', '"Another CA"'))


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> botocore.session.Session:
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    made = botocore.session.Session()
    made.set_config_variable("region", "eu-west-1")
    return made


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "amazon-roots.pem"
    path.write_text(amazon_roots(BUNDLE))
    return path


def test_aws_itself_is_checked_against_amazons_roots(session: botocore.session.Session, bundle: Path) -> None:
    assert clients.ca_bundle({"AWS_ENDPOINT_URL": ""}, session, bundle) == str(bundle)


def test_where_nothing_was_built_botocore_chooses(session: botocore.session.Session, tmp_path: Path) -> None:
    assert clients.ca_bundle({}, session, tmp_path / "none.pem") is None


@pytest.mark.parametrize(
    "variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "HTTPS_PROXY", "https_proxy", "AWS_ENDPOINT_URL_S3"]
)
def test_somebody_elses_endpoint_may_have_somebody_elses_root(
    variable: str, session: botocore.session.Session, bundle: Path
) -> None:
    assert clients.ca_bundle({variable: "https://elsewhere.example"}, session, bundle) is None


def test_an_operators_own_bundle_goes_before(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", "/etc/own.pem")
    assert clients.ca_bundle({}, botocore.session.Session(), bundle) is None
    monkeypatch.setattr(clients, "AMAZON_ROOTS", bundle)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    client = clients.Session().client("events", config=Config())
    assert client._endpoint.http_session._verify == "/etc/own.pem"  # noqa: SLF001  nothing public tells
    client.close()


def test_the_bundle_reaches_the_connection(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_CA_BUNDLE", "AWS_ENDPOINT_URL", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setattr(clients, "AMAZON_ROOTS", bundle)
    client = clients.Session().client("events", config=Config())
    assert client._endpoint.http_session._verify == str(bundle)  # noqa: SLF001  nothing public tells
    client.close()


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1", "us-iso-east-1", "eusc-de-east-1", "", "nowhere"])
def test_other_partitions_have_roots_of_their_own(region: str, session: botocore.session.Session, bundle: Path) -> None:
    session.set_config_variable("region", region)
    assert clients.ca_bundle({}, session, bundle) is None
