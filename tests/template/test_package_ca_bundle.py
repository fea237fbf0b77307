"""Which root certificates the package contains, and when the functions use them instead of botocore's."""

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
NAMED_BY_AWS = {
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
    names: list[Any] = [certificate["subject"] for certificate in context.get_ca_certs()]
    subjects = [{name: value for part in parts for name, value in part} for parts in names]
    return {
        (subject.get("organizationName", ""), subject.get("commonName") or subject.get("organizationalUnitName", ""))
        for subject in subjects
    }


def test_bundle_has_every_root_that_aws_names_and_no_other_authoritys() -> None:
    roots = trusted(amazon_roots(BUNDLE))
    assert roots >= NAMED_BY_AWS
    assert {organization for organization, _ in roots} == {"Amazon", "Starfield Technologies, Inc."}
    assert len(roots) == len(ROOTS)


def test_bundle_has_every_amazon_root_that_botocore_trusts() -> None:
    """A root that Amazon adds comes with a new botocore: this test fails then, and ROOTS has to grow."""
    theirs, ours = (
        {(organization, name) for organization, name in trusted(bundle) if organization == "Amazon"}
        for bundle in (BUNDLE, amazon_roots(BUNDLE))
    )
    assert ours == theirs


def test_missing_root_is_detected() -> None:
    without = re.sub(r"# Amazon Root CA 3\n-----BEGIN.+?END CERTIFICATE-----\n", "", amazon_roots(BUNDLE), flags=re.DOTALL)
    assert NAMED_BY_AWS - trusted(without) == {("Amazon", "Amazon Root CA 3")}


def test_build_stops_when_botocore_drops_a_root() -> None:
    with pytest.raises(RootMissing, match="Amazon Root CA 1"):
        amazon_roots(BUNDLE.replace('"Amazon Root CA 1"', '"Another CA"'))


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> botocore.session.Session:
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    session = botocore.session.Session()
    session.set_config_variable("region", "eu-west-1")
    return session


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    path = tmp_path / "amazon-roots.pem"
    path.write_text(amazon_roots(BUNDLE))
    return path


def test_aws_endpoints_are_verified_with_amazons_roots(session: botocore.session.Session, bundle: Path) -> None:
    assert clients.ca_bundle({"AWS_ENDPOINT_URL": ""}, session, bundle) == str(bundle)


def test_botocore_chooses_where_no_package_was_built(session: botocore.session.Session, tmp_path: Path) -> None:
    assert clients.ca_bundle({}, session, tmp_path / "none.pem") is None


@pytest.mark.parametrize(
    "variable", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB", "HTTPS_PROXY", "https_proxy", "AWS_ENDPOINT_URL_S3"]
)
def test_other_endpoints_and_proxies_use_botocores_bundle(
    variable: str, session: botocore.session.Session, bundle: Path
) -> None:
    assert clients.ca_bundle({variable: "https://elsewhere.example"}, session, bundle) is None


def test_operators_own_bundle_wins(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", "/etc/own.pem")
    assert clients.ca_bundle({}, botocore.session.Session(), bundle) is None
    monkeypatch.setattr(clients, "AMAZON_ROOTS", bundle)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    client = clients.Session().client("events", config=Config())
    assert client._endpoint.http_session._verify == "/etc/own.pem"  # noqa: SLF001  there is no public attribute
    client.close()


def test_bundle_reaches_the_connection(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_CA_BUNDLE", "AWS_ENDPOINT_URL", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    monkeypatch.setattr(clients, "AMAZON_ROOTS", bundle)
    client = clients.Session().client("events", config=Config())
    assert client._endpoint.http_session._verify == str(bundle)  # noqa: SLF001  there is no public attribute
    client.close()


@pytest.mark.parametrize("region", ["cn-north-1", "us-gov-west-1", "us-iso-east-1", "eusc-de-east-1", "", "nowhere"])
def test_other_partitions_use_botocores_bundle(region: str, session: botocore.session.Session, bundle: Path) -> None:
    session.set_config_variable("region", region)
    assert clients.ca_bundle({}, session, bundle) is None
