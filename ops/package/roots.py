"""The roots of trust that AWS's own endpoints need, out of botocore's bundle.

botocore reads its whole bundle again on every new connection, which costs more than the handshake.
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
_LABELED = re.compile(
    r'^# Label: "(.+?)"$.*?(-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----)', re.MULTILINE | re.DOTALL
)


class RootMissing(Exception):
    """botocore's bundle has none of that name."""


def amazon_roots(bundle: str) -> str:
    """ROOTS as PEM, out of the text of botocore's cacert.pem. Raises RootMissing."""
    certificates = dict(_LABELED.findall(bundle))
    if missing := [name for name in ROOTS if name not in certificates]:
        raise RootMissing(", ".join(missing))
    return "".join(f"# {name}\n{certificates[name]}\n" for name in ROOTS)
