"""`python -m bench.tls`: CPU of a client's first request by TLS, with our CA bundle and with botocore's.

The request goes to a server on this machine, whose made-up certificate is added to both bundles. So what differs is what it
costs to read the bundle, which botocore does anew for every connection; handshake and request are in it, too. Medians of
processes that take turns.
"""

import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
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
from bench.rows import NotHere, Row, command, interleaved

_ROUNDS = 15
_BUNDLES = "*.pem"  # in our package, beside botocore's own


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
        raise NotHere("our package carries no CA bundle of its own")
    theirs = builds().bare.folder / "botocore" / "cacert.pem"
    with TemporaryDirectory() as folder, _server(Path(folder)) as (url, authority):
        both = {}
        for name, roots in (("ours", bundle), ("bare", theirs)):
            both[name] = Path(folder) / f"{name}.pem"
            both[name].write_bytes(roots.read_bytes() + b"\n" + authority.read_bytes())
        seen = interleaved(_ROUNDS, {name: partial(_first, url, path) for name, path in both.items()})
    said = f"CPU of the first TLS request, vs botocore's CA bundle ({seen['bare']:.0f} ms)"
    return [Row(said, 0.37, "0.37", seen["ours"] / seen["bare"], {"bare": 1.0}, plotted=True)]


def _first(url: str, bundle: Path) -> float:
    done = subprocess.run(
        [str(python313()), "bench/first_tls_request.py", url, str(bundle)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(builds().bare.folder), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


@contextmanager
def _server(folder: Path) -> Iterator[tuple[str, Path]]:
    """A server's address, and the authority that vouches for it."""
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
    """A certificate that vouches for itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(secret)
    return paths


if __name__ == "__main__":
    sys.exit(command(measure, __doc__))
