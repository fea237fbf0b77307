"""The labeling page: one HTML file without dependencies, whose style and script are the only ones that a browser may use."""

import re
from base64 import b64encode
from functools import cache
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path

from aws_lambda_powertools.event_handler import Response

_FILE = Path(__file__).with_name("page.html")
_HTML = "text/html; charset=utf-8"
_INLINE = re.compile(r"<(?P<kind>style|script)\b[^>]*>(?P<text>.*?)</(?P=kind)>", re.DOTALL)


def page_response() -> Response[str]:
    """The page holds no data, so anyone may have it."""
    text, headers = _page()
    all_headers: dict[str, str | list[str]] = {**headers}
    return Response(HTTPStatus.OK, _HTML, text, headers=all_headers)


@cache
def _page() -> tuple[str, dict[str, str]]:
    text = _FILE.read_text(encoding="utf-8")
    return text, {
        "Content-Security-Policy": content_security_policy(text),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "X-Frame-Options": "DENY",
    }


def content_security_policy(page: str) -> str:
    """A policy that allows the page's own style and script by their hashes, and requests to its own origin only."""
    hashes: dict[str, list[str]] = {"style": [], "script": []}
    for element in _INLINE.finditer(page):
        digest = b64encode(sha256(element["text"].encode()).digest()).decode()
        hashes[element["kind"]].append(f"'sha256-{digest}'")
    return "; ".join(
        [
            "default-src 'none'",
            " ".join(["script-src", *hashes["script"]]),
            " ".join(["style-src", *hashes["style"]]),
            "img-src data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        ]
    )
