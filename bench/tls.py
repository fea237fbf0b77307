"""`python -m bench.tls`: CPU time of a client's first TLS request, with our CA bundle and with botocore's.

The request goes to a server on this machine, whose self-signed certificate is added to both bundles. The difference is reading
the bundle, which botocore does for every connection; handshake and request are included. Medians of processes that take turns.
"""

import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from pathlib import Path
from tempfile import TemporaryDirectory

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bench.builds import ROOT, builds, python313
from bench.rows import NotMeasurable, Row, command, interleaved

ROW = Row("CPU of the first TLS request, vs botocore's CA bundle", goal=0.37, plotted=True)
_ROUNDS = 15
_CERTIFICATE_DAYS = 1
_BUNDLES = "*.pem"  # at the root of our package


class _Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base's own name
        pass


def measure() -> list[Row]:
    ours = builds().ours.folder
    bundle = next(ours.glob(_BUNDLES), None)
    if bundle is None:
        raise NotMeasurable("our package has no CA bundle")
    botocore_bundle = builds().bare.folder / "botocore" / "cacert.pem"
    with TemporaryDirectory() as folder, _server(Path(folder)) as (url, certificate):
        bundles = {}
        for name, roots in (("ours", bundle), ("bare", botocore_bundle)):
            bundles[name] = Path(folder) / f"{name}.pem"
            bundles[name].write_bytes(roots.read_bytes() + b"\n" + certificate.read_bytes())
        milliseconds = interleaved(_ROUNDS, {name: partial(_first_request, url, path) for name, path in bundles.items()})
    bare = milliseconds["bare"]
    return [replace(ROW, label=f"{ROW.label} ({bare:.0f} ms)", ours=milliseconds["ours"] / bare, peers={"bare": 1.0})]


def _first_request(url: str, bundle: Path) -> float:
    process = subprocess.run(
        [str(python313()), "bench/first_tls_request.py", url, str(bundle)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(builds().bare.folder), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(process.stdout)


@contextmanager
def _server(folder: Path) -> Iterator[tuple[str, Path]]:
    """A server's URL, and the file of its self-signed certificate."""
    certificate, key = _certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Hello)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}/", certificate
    server.shutdown()
    server.server_close()


def _certificate(folder: Path) -> tuple[Path, Path]:
    """Files of a self-signed certificate and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=_CERTIFICATE_DAYS))
        .not_valid_after(now + timedelta(days=_CERTIFICATE_DAYS))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    unencrypted = serialization.NoEncryption()
    key_bytes = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, unencrypted)
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(key_bytes)
    return paths


if __name__ == "__main__":
    sys.exit(command(measure, __doc__))
