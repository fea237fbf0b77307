"""The root certificates that AWS's own endpoints need, selected from botocore's bundle.

botocore reads its whole bundle again for every new connection, which costs more than the TLS handshake.
"""

import re

# Amazon Trust Services' roots, and those of Starfield that its chains were first anchored at
# (https://www.amazontrust.com/repository, "Root CAs").
ROOTS = (
    "Amazon Root CA 1",
    "Amazon Root CA 2",
    "Amazon Root CA 3",
    "Amazon Root CA 4",
    "Starfield Class 2 CA",
    "Starfield Root Certificate Authority - G2",
    "Starfield Services Root Certificate Authority - G2",
)
_LABELED_CERTIFICATE = re.compile(
    r'^# Label: "(.+?)"$.*?(-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----)', re.MULTILINE | re.DOTALL
)


class RootMissing(Exception):
    """botocore's bundle has no certificate with that label."""


def amazon_roots(bundle: str) -> str:
    """ROOTS as PEM, selected from the text of botocore's cacert.pem. Raises RootMissing."""
    certificates = dict(_LABELED_CERTIFICATE.findall(bundle))
    if missing := [name for name in ROOTS if name not in certificates]:
        raise RootMissing(", ".join(missing))
    return "".join(f"# {name}\n{certificates[name]}\n" for name in ROOTS)
